"""A fitted trunk and head on samples: outputs, in plain float32 whatever the machine.

The same input gives the same answer alone and among thousands.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from regraft.activations.extract import boundary_activations
from regraft.activations.pairs import head_features
from regraft.activations.store import ActivationStore
from regraft.backbones.contract import Backbone
from regraft.core import Sample, TaskKind
from regraft.heads import Head
from regraft.running import resolve_device
from regraft.running.units import Unit, units_of

Report = Callable[[int, int], None]

GROUP = 512  # windows whose token states are in memory at a time


@dataclass(frozen=True)
class Fitted:
    """What predictions are made with.

    Attributes:
        kind: The task's kind.
        classes: Class names or tags in the order of the head's outputs.
        backbone: The trunk.
        head: The head.
        device: Where to compute.
    """

    kind: TaskKind
    classes: tuple[str, ...]
    backbone: Backbone
    head: Head
    device: str = "auto"


def pooled_outputs(
    fitted: Fitted, samples: Sequence[Sample], store: ActivationStore | None = None, report: Report | None = None
) -> Tensor:
    """Outputs (N, C) of a head that reads pooled features."""
    features, _ = head_features(
        fitted.backbone,
        samples,
        store,
        reads=fitted.head.reads,
        taps=fitted.head.taps,
        device=resolve_device(fitted.device),
        precision="fp32",
        progress=report,
    )
    with torch.inference_mode():
        outputs: Tensor = fitted.head.cpu().eval()(torch.from_numpy(features))
    return outputs


def class_probabilities(
    fitted: Fitted, samples: Sequence[Sample], store: ActivationStore | None = None, report: Report | None = None
) -> NDArray[np.float64]:
    """Class probabilities, (N, C) float64."""
    if not samples:
        return np.zeros((0, len(fitted.classes)))
    probabilities: NDArray[np.float64] = pooled_outputs(fitted, samples, store, report).double().softmax(dim=1).numpy()
    return probabilities


def token_outputs(
    fitted: Fitted, samples: Sequence[Sample], report: Report | None = None
) -> Iterator[tuple[Unit, Tensor]]:
    """Each window with its outputs (T, C), group by group."""
    units = units_of(fitted.kind, fitted.backbone, samples)
    head, last = fitted.head.cpu().eval(), len(fitted.backbone.outline)
    for begin in range(0, len(units), GROUP):
        group = units[begin : begin + GROUP]
        states = boundary_activations(
            fitted.backbone,
            [unit.sample for unit in group],
            last,
            None,
            device=resolve_device(fitted.device),
            precision="fp32",
        )
        for number, unit in enumerate(group):
            hidden, mask = states.batch([number], 0)
            with torch.inference_mode():
                yield unit, head(hidden, mask)[0]
        if report is not None:
            report(begin + len(group), len(units))
