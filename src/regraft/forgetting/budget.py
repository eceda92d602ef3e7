"""The forgetting budget: how far tuned weights may go from where they started (Wortsman 2022, WiSE-FT)."""

import copy
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from regraft.activations.pairs import head_features
from regraft.backbones.contract import Backbone
from regraft.core import Solve, Task
from regraft.evaluating import evaluate_probabilities
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
        target: Accuracy on the target's validation part, with a head solved on the features of this trunk; None where
            samples have no classes.
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
        target_cost: Validation accuracy that the budget cost: of the best share, less that of the taken one.
    """

    budget: float | None
    alpha: float
    curve: tuple[Point, ...]
    held_out: Forgotten
    target_cost: float


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
        device: Where to compute.
        progress: Called with (what, done, total).

    Returns:
        What was found, and a head solved on the taken trunk's features of training and validation part together;
        None where the trunk is what it was after tuning, so that the trained head stays.
    """
    tuned = {name: one.detach().clone() for name, one in backbone.module.state_dict().items()}
    way = Way(backbone, start, tuned, device)
    choosing, held = (measure.part(range(half, len(measure.samples), 2)) for half in (0, 1))
    points, scores = _curve(way, task, choosing, progress)
    taken, cost = points[-1], 0.0
    if budget is not None and len(points) > 1:
        allowed = [one for one in points if upper_loss(choosing, scores[0.0], scores[one.alpha], MARGIN) <= budget]
        taken = max(allowed, key=lambda point: (point.target or 0.0, -point.alpha))
        cost = max(point.target or 0.0 for point in points) - (taken.target or 0.0)
    before = held.scores(way.go(0.0), device=device)
    after = held.scores(way.go(taken.alpha), device=device)
    kept = Kept(budget, taken.alpha, tuple(points), forgotten(held, before, after), cost)
    return kept, None if budget is None or len(points) == 1 else _final_head(backbone, task, device)


def _curve(
    way: Way, task: Task, choosing: Measure, progress: Callable[[str, int, int], None] | None
) -> tuple[list[Point], dict[float, Scores]]:
    """Every share's point and scores; of a trunk that did not move, the one there is."""
    shares = (0.0,) if way.stands_still else SHARES
    points: list[Point] = []
    scores: dict[float, Scores] = {}
    for number, alpha in enumerate(shares):
        scores[alpha] = choosing.scores(way.go(alpha), device=way.device)
        accuracy = _target_accuracy(way.backbone, task, way.device) if _solvable(task) else None
        first, now = scores[0.0].rate, scores[alpha].rate
        points.append(Point(alpha, accuracy, choosing.value(now), choosing.lost(first, now)))
        if progress is not None:
            progress("forgetting curve", number + 1, len(shares))
    return points, scores


def _solvable(task: Task) -> bool:
    """Whether a logistic head can be solved for the target."""
    return task.kind in {"image-classification", "text-classification"}


def _target_accuracy(backbone: Backbone, task: Task, device: str) -> float:
    """Validation accuracy of a head solved on the training part."""
    features, count = _features(backbone, task, device), len(task.train)
    targets, held = np.asarray(task.train.targets), np.asarray(task.validation.targets)
    solution = solve_logistic(
        features[:count], targets, len(task.classes), _solve(task), 0, (), task.together(task.train.samples)
    )
    if not len(held):
        return float((solution.probabilities(features).argmax(axis=1) == targets).mean())
    return evaluate_probabilities(held, solution.probabilities(features[count:])).metrics["accuracy"]


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
