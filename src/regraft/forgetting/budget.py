"""The forgetting budget: how far tuned weights may go from where they started (Wortsman 2022, WiSE-FT)."""

import copy
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from regraft.activations.pairs import head_features
from regraft.backbones.contract import Backbone
from regraft.backbones.source_heads import SourceHead
from regraft.core import Solve, Task
from regraft.evaluating import evaluate_probabilities
from regraft.forgetting.classes import Forgotten, SourceData, forgotten, source_hits
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
        target: Accuracy on the target's validation part, with a head solved on the features of this trunk.
        source: Accuracy on the choosing half of the source data.
        lost: Of `source`, against alpha = 0.
    """

    alpha: float
    target: float
    source: float
    lost: float


@dataclass(frozen=True)
class Kept:
    """The trunk that keeps the budget.

    Attributes:
        budget: The largest loss of source accuracy, as a share.
        alpha: The share that was taken.
        curve: Every share that was measured.
        held_out: What the taken trunk forgot on the half of the source data that nothing was chosen by.
        target_cost: Validation accuracy that the budget cost: of the best share, less that of the taken one.
    """

    budget: float
    alpha: float
    curve: tuple[Point, ...]
    held_out: Forgotten
    target_cost: float


def keep_within(
    backbone: Backbone,
    start: dict[str, Tensor],
    task: Task,
    source: SourceData,
    head: SourceHead,
    budget: float,
    *,
    device: str = "cpu",
    progress: Callable[[str, int, int], None] | None = None,
) -> tuple[Kept, LogisticHead]:
    """Move the tuned trunk back toward its start until it keeps the budget; it is changed in place.

    Half of the source data chooses, the other half tells how well that went.

    Args:
        backbone: The tuned trunk.
        start: Its tensors before tuning.
        task: The target, of classes.
        source: Held-out data of the source.
        head: The original head.
        budget: The largest loss of source accuracy, 0-1.
        device: Where to compute.
        progress: Called with (what, done, total).

    Returns:
        What was found, and a head solved on the taken trunk's features of training and validation part together.
    """
    tuned = {name: one.detach().clone() for name, one in backbone.module.state_dict().items()}
    choosing, held = (source.part(range(half, len(source.samples), 2)) for half in (0, 1))
    points: list[Point] = []
    hits: dict[float, np.ndarray[tuple[int], np.dtype[np.bool_]]] = {}
    for number, alpha in enumerate(SHARES):
        _interpolate(backbone, start, tuned, alpha)
        hits[alpha] = source_hits(backbone, head, choosing, device=device)
        accuracy = _target_accuracy(backbone, task, device)
        points.append(Point(alpha, accuracy, float(hits[alpha].mean()), float((hits[0.0] * 1.0 - hits[alpha]).mean())))
        if progress is not None:
            progress("forgetting curve", number + 1, len(SHARES))
    allowed = [point for point in points if _upper(hits[0.0], hits[point.alpha]) <= budget]
    taken = max(allowed, key=lambda point: (point.target, -point.alpha))
    _interpolate(backbone, start, tuned, 0.0)
    before = source_hits(backbone, head, held, device=device)
    _interpolate(backbone, start, tuned, taken.alpha)
    after = source_hits(backbone, head, held, device=device)
    best = max(point.target for point in points)
    held_out = forgotten(before, after, len(source.outputs))
    kept = Kept(budget, taken.alpha, tuple(points), held_out, best - taken.target)
    return kept, _final_head(backbone, task, device)


def _interpolate(backbone: Backbone, start: dict[str, Tensor], tuned: dict[str, Tensor], alpha: float) -> None:
    """Put (1 - alpha) start + alpha tuned into the trunk; exact at both ends."""
    with torch.no_grad():
        for name, tensor in backbone.module.state_dict().items():
            first, last = start[name].to(tensor.device), tuned[name]
            blended = torch.lerp(first, last, alpha) if tensor.is_floating_point() and 0 < alpha < 1 else None
            tensor.copy_((last if alpha >= 1 else first) if blended is None else blended)


def _upper(
    before: "np.ndarray[tuple[int], np.dtype[np.bool_]]", after: "np.ndarray[tuple[int], np.dtype[np.bool_]]"
) -> float:
    """The loss of accuracy plus `MARGIN` standard errors of it; 0 for equal answers."""
    lost = before.astype(float) - after.astype(float)
    return float(lost.mean() + MARGIN * lost.std() / max(len(lost), 1) ** 0.5)


def _target_accuracy(backbone: Backbone, task: Task, device: str) -> float:
    """Validation accuracy of a head solved on the training part."""
    features, count = _features(backbone, task, device), len(task.train)
    targets, held = np.asarray(task.train.targets), np.asarray(task.validation.targets)
    solution = solve_logistic(features[:count], targets, len(task.classes), _solve(task), 0)
    if not len(held):
        return float((solution.probabilities(features).argmax(axis=1) == targets).mean())
    return evaluate_probabilities(held, solution.probabilities(features[count:])).metrics["accuracy"]


def _final_head(backbone: Backbone, task: Task, device: str) -> LogisticHead:
    features = _features(backbone, task, device)
    targets = np.asarray([*task.train.targets, *task.validation.targets])
    head = solve_logistic(features, targets, len(task.classes), _solve(task), 0).head
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
