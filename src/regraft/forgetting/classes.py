"""Forgetting of a trunk that was pre-trained on classes, through its original head."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from regraft.activations.extract import Progress, pooled_features
from regraft.activations.store import ActivationStore
from regraft.backbones.contract import Backbone
from regraft.backbones.source_heads import SourceHead
from regraft.core import DataError, Sample, Split
from regraft.evaluating.bootstrap import Ints, bootstrap

FEWEST_CLASSES = 2


@dataclass(frozen=True)
class Forgotten:
    """Accuracy of the original head on source data, before and after tuning.

    Attributes:
        metric: `source_accuracy`: among the classes that the data and the head share.
        before: With the trunk as it was.
        after: With the tuned trunk.
        lost: `before - after`.
        low: Of its paired 95 % bootstrap interval.
        high: Of the same.
        samples: N.
        classes: How many classes are shared.
    """

    metric: str
    before: float
    after: float
    lost: float
    low: float
    high: float
    samples: int
    classes: int


@dataclass(frozen=True)
class Proxy:
    """What can be said without source data, on the target's own inputs.

    Attributes:
        agreement: Share of inputs on which the original head says the same before and after.
        feature_drift: 1 - mean cosine of pooled features before and after.
    """

    agreement: float
    feature_drift: float


@dataclass(frozen=True)
class SourceData:
    """Source samples whose classes the original head knows.

    Attributes:
        samples: N.
        targets: (N,) index into `outputs`.
        outputs: The head's outputs for the shared classes.
    """

    samples: tuple[Sample, ...]
    targets: Ints
    outputs: tuple[int, ...]

    def part(self, rows: Sequence[int]) -> "SourceData":
        """Some of the samples."""
        return SourceData(tuple(self.samples[row] for row in rows), self.targets[list(rows)], self.outputs)


def source_data(splits: Sequence[Split], classes: tuple[str, ...], head: SourceHead) -> SourceData:
    """The samples of all splits whose classes the head has.

    Raises:
        DataError: Head and data share fewer than two classes.
    """
    shared = head.outputs_for(classes)
    if len(shared) < FEWEST_CLASSES:
        raise DataError(
            f"--source: the original head knows {len(shared)} of its {len(classes)} classes (first: {classes[0]!r}); "
            "give data with the classes that the backbone was pre-trained on, named as there"
        )
    order = {position: number for number, position in enumerate(shared)}
    pairs = [
        (sample, order[target])
        for split in splits
        for sample, target in zip(split.samples, split.targets, strict=True)
        if target in order
    ]
    return SourceData(tuple(one for one, _ in pairs), np.array([one for _, one in pairs]), tuple(shared.values()))


def source_hits(
    backbone: Backbone,
    head: SourceHead,
    data: SourceData,
    *,
    store: ActivationStore | None = None,
    device: str = "cpu",
    progress: Progress | None = None,
) -> NDArray[np.bool_]:
    """(N,) whether the original head finds each sample's class among the shared ones."""
    last = len(backbone.outline) - 1
    (features,), _ = pooled_features(backbone, data.samples, store, stages=[last], device=device, progress=progress)
    with torch.inference_mode():
        logits = head.module(torch.from_numpy(features))[:, list(data.outputs)]
    hits: NDArray[np.bool_] = logits.argmax(dim=1).numpy() == data.targets
    return hits


def forgotten(before: NDArray[np.bool_], after: NDArray[np.bool_], classes: int) -> Forgotten:
    """The loss of accuracy from the hits of both trunks on the same samples."""

    def metrics(rows: Ints) -> dict[str, float]:
        first, second = float(before[rows].mean()), float(after[rows].mean())
        return {"before": first, "after": second, "lost": first - second}

    found = bootstrap(len(before), metrics)
    low, high = found.intervals["lost"]
    return Forgotten("source_accuracy", **found.metrics, low=low, high=high, samples=len(before), classes=classes)


def source_proxy(
    before: Backbone, after: Backbone, head: SourceHead | None, samples: Sequence[Sample], *, device: str = "cpu"
) -> Proxy:
    """Agreement of the original head and drift of features on inputs of the target; NaN without a head."""
    pooled = []
    for backbone in (before, after):
        last = len(backbone.outline) - 1
        (features,), _ = pooled_features(backbone, samples, None, stages=[last], device=device, precision="fp32")
        pooled.append(torch.from_numpy(features))
    agreement = float("nan")
    if head is not None:
        with torch.inference_mode():
            first, second = (head.module(features).argmax(dim=1) for features in pooled)
        agreement = float((first == second).float().mean())
    return Proxy(agreement, float(1 - torch.cosine_similarity(pooled[0], pooled[1], dim=1).mean()))
