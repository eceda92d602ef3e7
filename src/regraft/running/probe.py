"""Convex heads, their regularisation chosen by cross-validation: logistic and ridge regression."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.metrics import log_loss
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from regraft.core import Solve
from regraft.heads import LogisticHead, RidgeHead

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]
Folds = list[tuple[Ints, Ints]]

PATH_TOLERANCE = 1e-3  # while choosing: the log loss between strengths differs by far more
TOLERANCE = 1e-4
MOST_ITERATIONS = 500


@dataclass(frozen=True)
class Solution:
    """A solved head and how it was chosen.

    Attributes:
        head: On raw features: the standardisation is inside.
        strength: The chosen inverse regularisation strength (scikit-learn's C, or 1 / alpha).
        path: Cross-validated loss of every strength tried.
        loss: Training loss.
    """

    head: LogisticHead | RidgeHead
    strength: float
    path: dict[float, float]
    loss: float

    def outputs(self, features: Floats) -> torch.Tensor:
        """What the head makes of raw features, (N, C)."""
        with torch.inference_mode():
            outputs: torch.Tensor = self.head(torch.from_numpy(features))
        return outputs

    def probabilities(self, features: Floats) -> NDArray[np.float64]:
        """Class probabilities (N, C) of raw features."""
        probabilities: NDArray[np.float64] = self.outputs(features).double().softmax(dim=1).numpy()
        return probabilities


def solve_logistic(
    features: Floats,
    targets: Ints,
    classes: int,
    phase: Solve,
    seed: int,
    groups: Sequence[int] = (),
    together: Sequence[int] = (),
) -> Solution:
    """The head with the smallest cross-validated log loss, fitted on all samples.

    Args:
        features: (N, D).
        targets: (N,), 0 to C - 1; every class must occur.
        classes: C.
        phase: Strengths and folds.
        seed: Of the folds.
        groups: Widths of the stages that the features are of; see `_standard`.
        together: (N,) a number that samples share which no fold may part; empty = each is alone.
    """
    mean, scale = _standard(features, groups)
    inputs = (features - mean) / scale
    path = _path(inputs, targets, phase, stratified_folds(targets, phase.folds, seed, together))
    strength = min(path, key=lambda one: (path[one], one))
    model = LogisticRegression(C=strength, tol=TOLERANCE, max_iter=MOST_ITERATIONS).fit(inputs, targets)
    head = LogisticHead(features.shape[1], classes)
    weight, bias = _all_classes(model)
    with torch.no_grad():
        head.mean.copy_(torch.from_numpy(mean))
        head.scale.copy_(torch.from_numpy(scale))
        head.weight.copy_(torch.from_numpy(weight))
        head.bias.copy_(torch.from_numpy(bias))
    loss = log_loss(targets, model.predict_proba(inputs), labels=range(classes))
    return Solution(head, strength, path, float(loss))


def solve_ridge(features: Floats, targets: NDArray[np.float64], phase: Solve, groups: Sequence[int] = ()) -> Solution:
    """The head with the smallest leave-one-out squared error (closed form, Golub 1979), fitted on all samples.

    Args:
        features: (N, D).
        targets: (N,) quantities.
        phase: Strengths; the penalty is 1 / strength.
        groups: Widths of the stages that the features are of; see `_standard`.
    """
    mean, scale = _standard(features, groups)
    inputs = ((features - mean) / scale).astype(np.float64)
    head = RidgeHead(features.shape[1])
    head.begin(torch.from_numpy(targets))
    centre = float(head.centre)
    model = RidgeCV(alphas=[1 / strength for strength in phase.strengths], fit_intercept=False).fit(
        inputs, targets - centre
    )
    with torch.no_grad():
        head.mean.copy_(torch.from_numpy(mean))
        head.scale.copy_(torch.from_numpy(scale))
        head.weight.copy_(torch.from_numpy(model.coef_[None]))
    left = (targets - centre - model.predict(inputs)) / float(head.spread)
    return Solution(head, 1 / float(model.alpha_), {}, float(np.square(left).mean()))


def _standard(features: Floats, groups: Sequence[int] = ()) -> tuple[Floats, Floats]:
    """Mean and scale (D,) of each feature.

    Features of several stages are scaled group by group so that each stage has the same total variance: a wide
    stage would else be regularised less than a narrow one. Head2Toe (Evci 2022) normalises its groups likewise.
    """
    mean, scale = features.mean(axis=0), features.std(axis=0)
    # A feature that never changes would be divided by almost nothing.
    scale = np.where(scale > 1e-6 * max(float(np.abs(mean).max()), 1e-12), scale, 1.0).astype(np.float32)
    if len(groups) > 1:
        widths = np.repeat(groups, groups).astype(np.float32)
        scale = scale * np.sqrt(widths / np.mean(groups))
    return mean, scale.astype(np.float32)


def stratified_folds(targets: Ints, most: int, seed: int, together: Sequence[int]) -> Folds:
    """(learnt, held) rows of stratified folds that part no group; none where a class cannot be both."""
    groups = np.asarray(together) if len(together) else np.arange(len(targets))
    grouped = len(np.unique(groups)) < len(groups)
    sizes = [len(np.unique(groups[targets == label])) for label in np.unique(targets)]
    if not grouped:
        count = min(most, *sizes)
        return (
            list(StratifiedKFold(count, shuffle=True, random_state=seed).split(targets, targets)) if count > 1 else []
        )
    count = max(2, min(most, *sizes))
    if len(np.unique(groups)) < count or int(np.bincount(targets).max()) < count:
        return []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of classes with fewer samples than folds
        found = list(StratifiedGroupKFold(count, shuffle=True, random_state=seed).split(targets, targets, groups))
    # A class whose groups are all held out was not learnt: such a fold says nothing.
    return [(learnt, held) for learnt, held in found if len(held) and len(np.unique(targets[learnt])) == len(sizes)]


def _path(inputs: Floats, targets: Ints, phase: Solve, folds: Folds) -> dict[float, float]:
    """Mean held-out log loss of every strength, each fit started from the one before."""
    if len(phase.strengths) == 1 or not folds:  # there is nothing to choose, or nothing to choose by
        return {sorted(phase.strengths)[len(phase.strengths) // 2]: float("nan")}
    losses: dict[float, list[float]] = {strength: [] for strength in sorted(phase.strengths)}
    for train, held in folds:
        model = LogisticRegression(tol=PATH_TOLERANCE, max_iter=MOST_ITERATIONS, warm_start=True)
        for strength, held_losses in losses.items():
            model.set_params(C=strength).fit(inputs[train], targets[train])
            held_loss = log_loss(targets[held], model.predict_proba(inputs[held]), labels=model.classes_)
            held_losses.append(float(held_loss))
    return {strength: float(np.mean(values)) for strength, values in losses.items()}


def _all_classes(model: LogisticRegression) -> tuple[Floats, Floats]:
    """Weights (C, D) and biases (C,); scikit-learn keeps one row for two classes."""
    weight, bias = model.coef_, model.intercept_
    if len(model.classes_) == 2:
        weight, bias = np.concatenate([-weight / 2, weight / 2]), np.concatenate([-bias / 2, bias / 2])
    return weight.astype(np.float32), bias.astype(np.float32)
