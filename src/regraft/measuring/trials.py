"""One short run of a strategy on a piece of the training part, held against the probe on samples that neither saw."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regraft.activations.store import ActivationStore
from regraft.backbones import reinitialised
from regraft.backbones.contract import Backbone
from regraft.core import Phase, Plan, Split, Task, Train
from regraft.heads import head_for
from regraft.predicting import Fitted, evaluated
from regraft.running import execute
from regraft.tasks.splits import held_out

HELD_SHARE = 0.3
# Held-out samples beyond these would have a tuned trunk converted for a faster engine, which one use does not repay.
MOST_HELD = {"image": 199, "text": 399}


@dataclass(frozen=True)
class Result:
    """What a trial found on the held-out samples.

    Attributes:
        value: The task's metric.
        draws: The same on resamples; trials on one piece are paired by them.
        seconds: Wall time.
    """

    value: float
    draws: NDArray[np.float64]
    seconds: float


@dataclass(frozen=True)
class Ground:
    """Where trials run: a task cut from the training part alone, and what they share.

    Attributes:
        task: Its training part is a piece of the real one, its test part another; it has no validation part.
        backbone: The trunk; after each trial its weights are what they were.
        store: Of activations.
        device: Where to compute.
        precision: `auto`, `fp32`, `bf16` or `int8`.
    """

    task: Task
    backbone: Backbone
    store: ActivationStore | None
    device: str
    precision: str

    def run(self, plan: Plan, deadline: float) -> Result | None:
        """Train by the plan and measure on the held-out samples; None if the time ran out before it was done.

        Args:
            plan: Made for the counts of this piece.
            deadline: Of `time.perf_counter`.
        """
        begun = time.perf_counter()
        random = plan.start == "random"
        trunk = reinitialised(self.backbone, plan.seed) if random else self.backbone
        with _kept(trunk, plan):
            head = head_for(plan, trunk.outline, self.task)
            steps = execute(
                _without_stopping(plan),
                trunk,
                head,
                self.task,
                store=self.store,
                folder=None,
                device=self.device,
                precision=self.precision,
            )
            for _ in steps:
                if time.perf_counter() > deadline:
                    steps.close()
                    return None
            fitted = Fitted(self.task.kind, self.task.classes, trunk, head, self.device)
            unchanged = not random and plan.frozen(trunk.outline) == len(trunk.outline)
            found = evaluated(fitted, self.task.splits["test"], self.store if unchanged else None, None)
        metric = self.task.metric
        return Result(found.metrics[metric], np.asarray(found.draws[metric]), time.perf_counter() - begun)


def ground_for(
    task: Task,
    samples: int | None,
    backbone: Backbone,
    store: ActivationStore | None,
    device: str,
    precision: str,
    seed: int,
) -> Ground:
    """A ground whose training part has at most so many samples; the held-out part is the same whatever their number."""
    train, held = _divided(task, seed)
    held = _drawn(held, MOST_HELD[backbone.kind], task, seed)
    kept = train if samples is None else _drawn(train, samples, task, seed)
    splits = {"train": kept, "validation": Split((), ()), "test": held}
    piece = replace(task, splits=splits, fingerprint=f"{task.fingerprint}/trial/{seed}/{len(kept)}", problems=())
    return Ground(piece, backbone, store, device, precision)


def _divided(task: Task, seed: int) -> tuple[Split, Split]:
    """The training part in two: to learn from, and to hold out; twins stay together, and each class in its share."""
    split = task.train
    single = task.kind in {"image-classification", "text-classification"}
    labels = [str(target) if single else "" for target in split.targets]
    held = held_out(labels, task.together(split.samples), HELD_SHARE, seed)
    return _taken(split, [i for i in range(len(split)) if i not in held]), _taken(split, sorted(held))


def _drawn(split: Split, most: int, task: Task, seed: int) -> Split:
    """At most so many samples, drawn evenly from each class, each class at least twice where it has two."""
    if len(split) <= most:
        return split
    rng = np.random.default_rng(seed)
    single = task.kind in {"image-classification", "text-classification"}
    members: dict[int, list[int]] = {}
    for row, target in enumerate(split.targets):
        members.setdefault(target if single else 0, []).append(row)
    share = most / len(split)
    kept: list[int] = []
    for rows in members.values():
        kept += rng.permutation(rows)[: max(round(share * len(rows)), min(2, len(rows)))].tolist()
    return _taken(split, sorted(kept))


def _taken(split: Split, rows: Sequence[int]) -> Split:
    return Split(tuple(split.samples[row] for row in rows), tuple(split.targets[row] for row in rows))


def _without_stopping(plan: Plan) -> Plan:
    """The plan with every epoch run: there is no validation part to stop by, and no source data to replay."""
    return replace(plan, phases=tuple(_to_the_end(one) for one in plan.phases))


def _to_the_end(phase: Phase) -> Phase:
    if not isinstance(phase, Train):
        return phase
    replayed = phase.penalty is not None and phase.penalty.kind == "replay"
    return replace(phase, patience=0, penalty=None if replayed else phase.penalty)


@contextmanager
def _kept(trunk: Backbone, plan: Plan) -> Iterator[None]:
    """Weights, buffers and gradients switches of the trunk as they were, once the work inside is over."""
    module: Any = trunk.module
    moves = plan.frozen(trunk.outline) < len(trunk.outline)
    before = {name: tensor.clone() for name, tensor in module.state_dict().items()} if moves else {}
    learning = {name: one.requires_grad for name, one in module.named_parameters()}
    try:
        yield
    finally:
        module.cpu().eval()
        if moves:
            module.load_state_dict(before)
        for name, parameter in module.named_parameters():
            parameter.requires_grad_(learning[name])
            parameter.grad = None
