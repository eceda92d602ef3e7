"""What evidence is measured on: the training samples' pooled features of every stage."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from regraft.activations.extract import Extraction, Progress
from regraft.activations.pairs import stage_features
from regraft.activations.rows import Floats
from regraft.backbones.contract import Backbone
from regraft.backbones.source_heads import source_head
from regraft.core import BackboneError, Sample, Task, TextSample
from regraft.measuring.probes import Probed, folds_of, probe, standardised
from regraft.running.cross_validation import Folds
from regraft.running.resources import Resources
from regraft.scores import ScoreInputs

Targets = NDArray[np.int64] | NDArray[np.float64]


@dataclass(frozen=True)
class Subject:
    """Training samples as a backbone sees them; no other part of the task is in it.

    Attributes:
        task: What they were taken from.
        backbone: The trunk.
        samples: N of the training samples, all of them unless that was too many.
        targets: (N,) class numbers, or quantities.
        stages: One (N, D) float32 array per stage, of pairs (N, 3 D).
        groups: (N,) a number that samples which are nearly the same share.
        extraction: What computing the features took.
        resources: Device, precision and store for what is computed beyond them.
        seed: Of folds and draws.
    """

    task: Task
    backbone: Backbone
    samples: tuple[Sample, ...]
    targets: Targets
    stages: list[Floats]
    groups: NDArray[np.int64]
    extraction: Extraction
    resources: Resources
    seed: int = 0

    @property
    def names(self) -> list[str]:
        """The stages' names."""
        return [stage.name for stage in self.backbone.outline]

    @property
    def classes(self) -> int:
        """C; 0 where quantities are to be predicted."""
        return 0 if self.task.kind == "text-regression" else len(self.task.classes)

    @property
    def labels(self) -> NDArray[np.int64]:
        """(N,) class numbers."""
        return self.targets.astype(np.int64)

    @functools.cached_property
    def last(self) -> ScoreInputs:
        """The last stage as scores take it, without the original head."""
        return ScoreInputs(self.stages[-1], self.targets, self.classes, groups=self.groups)

    @functools.cached_property
    def folds(self) -> Folds:
        """What is learnt from and what is held out, for every probe alike; none for quantities, or where no class can be parted."""
        return folds_of(self.labels, self.groups, self.seed) if self.classes else []

    @property
    def can_probe(self) -> bool:
        """Whether anything can be held out: not with one sample of each class, or where all belong together."""
        return bool(self.folds) if self.classes else len(np.unique(self.groups)) > 1

    @functools.cached_property
    def left_out(self) -> str:
        """What a ridge probe and neighbours leave out at a time."""
        return "leave-one-out" if len(np.unique(self.groups)) == len(self.groups) else "leave-one-group-out"

    @functools.cached_property
    def last_probe(self) -> Probed:
        """The probe of the last stage."""
        return self.stage_probe(len(self.stages) - 1)

    def stage_probe(self, number: int) -> Probed:
        """The probe of one stage, computed once."""
        if number not in self._probes:
            self._probes[number] = self.probed(self.stages[number])
        return self._probes[number]

    @functools.cached_property
    def _probes(self) -> dict[int, Probed]:
        return {}

    def probed(self, features: Floats) -> Probed:
        """The probe of some features of the samples, (N, D)."""
        return probe(standardised(features), self.targets, self.classes, self.folds, groups=self.groups)

    @functools.cached_property
    def original(self) -> NDArray[np.float64] | None:
        """(N, K) what the original head says of the samples; None where the backbone has none."""
        if self.task.kind == "question-answering" or self.stages[-1].shape[1] != self.backbone.outline.stages[-1].width:
            return None  # features of pairs
        try:
            head = source_head(self.backbone.passport, offline=self.resources.offline)
        except BackboneError:
            return None
        with torch.inference_mode():
            logits = head.module(torch.from_numpy(self.stages[-1])).double()
        found: NDArray[np.float64] = np.asarray(logits.softmax(dim=1).numpy())
        return found

    @functools.cached_property
    def rng(self) -> np.random.Generator:
        """Draws of this subject."""
        return np.random.default_rng(self.seed)


def subject_of(
    task: Task,
    backbone: Backbone,
    rows: Sequence[int],
    resources: Resources,
    *,
    seed: int = 0,
    device: str = "cpu",
    progress: Progress | None = None,
) -> Subject:
    """The given training samples with their features."""
    samples = tuple(task.train.samples[row] for row in rows)
    paired = any(isinstance(sample, TextSample) and sample.text_pair is not None for sample in samples)
    reads = "pairs" if paired and task.kind != "question-answering" else "pooled"
    stages, extraction = stage_features(
        backbone,
        samples,
        resources.store(),
        reads=reads,
        device=device,
        precision=resources.precision,
        progress=progress,
    )
    groups = np.array(task.together(task.train.samples))[list(rows)]
    return Subject(task, backbone, samples, _targets(task, rows), stages, groups, extraction, resources, seed)


def _targets(task: Task, rows: Sequence[int]) -> Targets:
    """Class numbers or quantities; zeros where a sample has more than one target."""
    if task.kind in {"token-classification", "question-answering"}:
        return np.zeros(len(rows), dtype=np.int64)
    values = [task.train.targets[row] for row in rows]
    return np.array(values, dtype=np.float64) if task.kind == "text-regression" else np.array(values, dtype=np.int64)


def twin_groups(task: Task) -> list[int]:
    """A number for each training sample, shared by those that opening the task found to be nearly the same."""
    first: dict[str, int] = {}
    groups = [first.setdefault(one.digest, number) for number, one in enumerate(task.train.samples)]
    position = {sample.source: number for number, sample in enumerate(task.train.samples)}
    for problem in task.problems:
        if problem.code not in {"duplicate", "near-duplicate"}:
            continue
        for item in problem.items:
            one, _, other = item.partition(" = ")
            if one in position and other in position:
                groups[position[one]] = groups[position[other]]
    return groups


def drawn_rows(task: Task, most: int, seed: int) -> list[int]:
    """At most `most` training rows, each class in its share and none left out."""
    total = len(task.train)
    if total <= most:
        return list(range(total))
    rng = np.random.default_rng(seed)
    if task.kind not in {"image-classification", "text-classification"}:
        return sorted(rng.choice(total, most, replace=False).tolist())
    kept: list[int] = []
    targets = np.array(task.train.targets)
    for label in range(len(task.classes)):
        rows = np.flatnonzero(targets == label)
        kept += rng.permutation(rows)[: max(1, round(len(rows) * most / total))].tolist()
    return sorted(kept)
