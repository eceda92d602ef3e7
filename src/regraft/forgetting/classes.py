"""Forgetting of a trunk that was pre-trained on classes, through its original head."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from regraft.activations.extract import pooled_features
from regraft.activations.store import ActivationStore
from regraft.backbones.contract import Backbone
from regraft.backbones.source_heads import SourceHead
from regraft.core import DataError, Sample, Task
from regraft.evaluating.bootstrap import Ints
from regraft.forgetting.measure import Progress, Scores

FEWEST_CLASSES = 2


@dataclass(frozen=True)
class ClassMeasure:
    """Accuracy of the original head among the classes that it shares with the source data.

    Attributes:
        head: The original head.
        samples: N, of shared classes.
        targets: (N,) index into `outputs`.
        outputs: The head's outputs for the shared classes.
        groups: N numbers, shared by samples that nothing may part.
        metric: The metric's name.
    """

    head: SourceHead
    samples: tuple[Sample, ...]
    targets: Ints
    outputs: tuple[int, ...]
    groups: tuple[int, ...]
    metric: str = "source_accuracy"

    @property
    def classes(self) -> int:
        """How many classes are shared."""
        return len(self.outputs)

    @property
    def strata(self) -> Sequence[int]:
        """The samples' classes."""
        return [int(one) for one in self.targets]

    def part(self, rows: Sequence[int]) -> "ClassMeasure":
        """Some of the samples."""
        return replace(
            self,
            samples=tuple(self.samples[row] for row in rows),
            targets=self.targets[list(rows)],
            groups=tuple(self.groups[row] for row in rows),
        )

    def scores(
        self,
        backbone: Backbone,
        *,
        store: ActivationStore | None = None,
        device: str = "cpu",
        progress: Progress | None = None,
    ) -> Scores:
        """1 where the head names another of the shared classes."""
        last = len(backbone.outline) - 1
        (features,), _ = pooled_features(backbone, self.samples, store, stages=[last], device=device, progress=progress)
        with torch.inference_mode():
            logits = self.head.module(torch.from_numpy(features))[:, list(self.outputs)]
        wrong = logits.argmax(dim=1).numpy() != self.targets
        return Scores(wrong.astype(np.float64), np.ones(len(wrong)))

    def value(self, rate: float) -> float:
        """Accuracy."""
        return 1 - rate

    def lost(self, before: float, after: float) -> float:
        """The loss of accuracy."""
        return after - before


def class_measure(task: Task, splits: Sequence[str], head: SourceHead) -> ClassMeasure:
    """The measure on the samples of some of a task's splits whose classes the head has.

    Raises:
        DataError: Head and data share fewer than two classes.
    """
    shared = shared_outputs(task.classes, head)
    order = {position: number for number, position in enumerate(shared)}
    pairs = [
        (sample, order[target])
        for split in (task.splits[name] for name in splits)
        for sample, target in zip(split.samples, split.targets, strict=True)
        if target in order
    ]
    samples = tuple(one for one, _ in pairs)
    targets = np.array([one for _, one in pairs])
    return ClassMeasure(head, samples, targets, tuple(shared.values()), tuple(task.together(samples)))


def shared_outputs(classes: tuple[str, ...], head: SourceHead) -> dict[int, int]:
    """Positions of the classes that the head has, to its outputs.

    Raises:
        DataError: Head and data share fewer than two classes.
    """
    shared = head.outputs_for(classes)
    if len(shared) < FEWEST_CLASSES:
        raise DataError(
            f"--source: the original head knows {len(shared)} of its {len(classes)} classes (first: {classes[0]!r}); "
            "give data with the classes that the backbone was pre-trained on, named as there"
        )
    return shared
