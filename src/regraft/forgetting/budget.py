"""The forgetting budget: how far tuned weights may go from where they started (Wortsman 2022, WiSE-FT)."""

import copy
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from regraft.activations.pairs import head_features
from regraft.backbones.contract import Backbone
from regraft.core import Solve, Task
from regraft.evaluating import evaluate_probabilities
from regraft.forgetting.halves import halves
from regraft.forgetting.measure import Forgotten, Measure, Scores, forgotten, upper_loss
from regraft.heads import LogisticHead
from regraft.running.probe import solve_logistic

SHARES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
# Standard errors that the loss on the choosing half must stay below the budget: the held-out half may be unluckier.
MARGIN = 1.0


@dataclass(frozen=True)
class Point:
    """One share of the way from the start to the tuned weights.

    Attributes:
        alpha: 0 = the pretrained trunk, 1 = the tuned one.
        target: Accuracy on the target's validation part, of the trained model at its end of the way and elsewhere with
            a head solved on the features of this trunk; None where samples have no classes.
        source: The source's metric on the choosing half of the source data.
        lost: Of `source`, against alpha = 0.
    """

    alpha: float
    target: float | None
    source: float
    lost: float


@dataclass(frozen=True)
class Kept:
    """What the way from pretrained to tuned weights costs of the source and gives to the target.

    Attributes:
        budget: The largest loss, as a share; None = the tuned weights were left as they are.
        alpha: The share that was taken.
        curve: Every share that was measured.
        held_out: What the taken trunk forgot on the half of the source data that nothing was chosen by.
        target_cost: Validation accuracy that the budget cost: the trained model's, less that of the taken share; below
            0 where the taken share is better.
        validation: Metrics and `intervals` of the taken share's head, before it learnt from the validation part too;
            None = the trained head stays, or there is no such part.
    """

    budget: float | None
    alpha: float
    curve: tuple[Point, ...]
    held_out: Forgotten
    target_cost: float
    validation: dict[str, Any] | None = None


@dataclass(frozen=True)
class Way:
    """The straight line from where a trunk started to where it was tuned to.

    Attributes:
        backbone: The tuned trunk; it is changed in place.
        start: Its tensors before tuning.
        tuned: Its tensors after.
        device: Where to compute.
    """

    backbone: Backbone
    start: dict[str, Tensor]
    tuned: dict[str, Tensor]
    device: str

    @property
    def stands_still(self) -> bool:
        """Whether tuning left every tensor as it was."""
        return all(torch.equal(one.cpu(), self.start[name].cpu()) for name, one in self.tuned.items())

    def go(self, alpha: float) -> Backbone:
        """The trunk at (1 - alpha) start + alpha tuned; exact at both ends."""
        with torch.no_grad():
            for name, tensor in self.backbone.module.state_dict().items():
                first, last = (one[name].to(tensor.device) for one in (self.start, self.tuned))
                blended = torch.lerp(first, last, alpha) if tensor.is_floating_point() and 0 < alpha < 1 else None
                tensor.copy_((last if alpha >= 1 else first) if blended is None else blended)
        return self.backbone


def keep_within(
    backbone: Backbone,
    start: dict[str, Tensor],
    task: Task,
    measure: Measure,
    budget: float | None,
    *,
    trained: float | None = None,
    device: str = "cpu",
    progress: Callable[[str, int, int], None] | None = None,
) -> tuple[Kept, LogisticHead | None]:
    """Measure the way from start to tuned weights; with a budget, move the trunk back until that is kept.

    Half of the source data chooses, the other half tells how well that went.

    Args:
        backbone: The tuned trunk, changed in place.
        start: Its tensors before tuning.
        task: The target; with a budget, of classes.
        measure: Of held-out data of the source.
        budget: The largest loss, 0-1; None = leave the tuned weights as they are.
        trained: Accuracy of the trained model on the target's validation part, or on the training part without one;
            None where samples have no classes.
        device: Where to compute.
        progress: Called with (what, done, total).

    Returns:
        What was found, and a logistic head solved on the taken trunk's features of training and validation part
        together; None where the trunk is what it was after tuning, so that the trained head stays.
    """
    tuned = {name: one.detach().clone() for name, one in backbone.module.state_dict().items()}
    way = Way(backbone, start, tuned, device)
    choosing, held = halves(measure)
    curve = _curve(way, task, choosing, trained, progress)
    taken = end = curve[-1]
    if budget is not None:
        # The start has lost nothing, whatever the margin: every budget can be met.
        allowed = [one for one in curve if one is curve[0] or _upper(choosing, curve[0], one) <= budget]
        # A trained model that keeps the budget stays as it is.
        taken = end if end in allowed else max(allowed, key=lambda one: (one.point.target or 0.0, -one.point.alpha))
    before = held.scores(way.go(0.0), device=device)
    after = held.scores(way.go(taken.point.alpha), device=device)
    cost = (end.point.target or 0.0) - (taken.point.target or 0.0)
    found = forgotten(held, before, after)
    points = tuple(one.point for one in curve)
    kept = Kept(budget, taken.point.alpha, points, found, cost, taken.validation)
    return kept, None if taken is end else _final_head(backbone, task, device)


@dataclass(frozen=True)
class _Measured:
    """A point, the scores that it was made of, and what its head gives on the target's validation part."""

    point: Point
    scores: Scores
    validation: dict[str, Any] | None


def _upper(choosing: Measure, first: _Measured, one: _Measured) -> float:
    return upper_loss(choosing, first.scores, one.scores, MARGIN)


def _curve(
    way: Way,
    task: Task,
    choosing: Measure,
    trained: float | None,
    progress: Callable[[str, int, int], None] | None,
) -> list[_Measured]:
    """Every share; of a trunk that did not move, the one there is."""
    shares = (0.0,) if way.stands_still else SHARES
    found: list[_Measured] = []
    for number, alpha in enumerate(shares):
        scores = choosing.scores(way.go(alpha), device=way.device)
        accuracy, validation = trained, None
        if alpha != shares[-1] and _solvable(task):
            accuracy, validation = _target_accuracy(way.backbone, task, way.device)
        rate = scores.rate
        first = found[0].scores.rate if found else rate
        point = Point(alpha, accuracy, choosing.value(rate), choosing.lost(first, rate))
        found.append(_Measured(point, scores, validation))
        if progress is not None:
            progress("forgetting curve", number + 1, len(shares))
    return found


def _solvable(task: Task) -> bool:
    """Whether a logistic head can be solved for the target."""
    return task.kind in {"image-classification", "text-classification"}


def _target_accuracy(backbone: Backbone, task: Task, device: str) -> tuple[float, dict[str, Any] | None]:
    """Accuracy of a head solved on the training part, and all that the validation part says of it, if there is one."""
    features, count = _features(backbone, task, device), len(task.train)
    targets, held = np.asarray(task.train.targets), np.asarray(task.validation.targets)
    solution = solve_logistic(
        features[:count], targets, len(task.classes), _solve(task), 0, (), task.together(task.train.samples)
    )
    if not len(held):
        return float((solution.probabilities(features).argmax(axis=1) == targets).mean()), None
    told = evaluate_probabilities(held, solution.probabilities(features[count:]))
    return told.metrics["accuracy"], {**told.metrics, "intervals": dict(told.intervals)}


def _final_head(backbone: Backbone, task: Task, device: str) -> LogisticHead:
    features = _features(backbone, task, device)
    targets = np.asarray([*task.train.targets, *task.validation.targets])
    together = task.together([*task.train.samples, *task.validation.samples])
    head = solve_logistic(features, targets, len(task.classes), _solve(task), 0, (), together).head
    if not isinstance(head, LogisticHead):
        raise TypeError(type(head).__name__)
    return head


def _solve(task: Task) -> Solve:
    return replace(Solve(), folds=max(2, min(5, task.summary().smallest_class)))


def _features(backbone: Backbone, task: Task, device: str) -> "np.ndarray[tuple[int, int], np.dtype[np.float32]]":
    samples = [*task.train.samples, *task.validation.samples]
    features, _ = head_features(backbone, samples, None, reads="pooled", device=device)
    return features


def pretrained_copy(backbone: Backbone) -> dict[str, Tensor]:
    """The trunk's tensors as they are now."""
    return copy.deepcopy({name: one.detach().cpu() for name, one in backbone.module.state_dict().items()})
