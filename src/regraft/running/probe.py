"""Convex heads, their regularisation chosen by cross-validation: logistic and ridge regression."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.metrics import log_loss

from regraft.core import Solve
from regraft.heads import LogisticHead, RidgeHead
from regraft.running.cross_validation import (
    Doubles,
    Folds,
    HeldOut,
    Ints,
    best_of,
    group_folds,
    held_out_path,
    stratified_folds,
    until_worse,
)
from regraft.running.pool import pool_weights, resting_weights

Floats = NDArray[np.float32]

TOLERANCE = 1e-4
MOST_ITERATIONS = 500


@dataclass(frozen=True)
class Chosen:
    """What cross-validation chose for a logistic head.

    Attributes:
        strengths: Inverse regularisation strength (scikit-learn's C) of each stage that is read.
        weights: What each stage's logits count; (1,) for a single stage.
        path: Cross-validated loss of every strength that was tried on the last of these stages.
    """

    strengths: tuple[float, ...]
    weights: tuple[float, ...]
    path: dict[float, float]


@dataclass(frozen=True)
class Solution:
    """A solved head and how it was chosen.

    Attributes:
        head: On raw features: the standardisation is inside.
        chosen: By cross-validation.
        loss: Training loss.
        shares: How much of what moves the logits comes from each stage that is read; they sum to 1.
    """

    head: LogisticHead | RidgeHead
    chosen: Chosen
    loss: float
    shares: tuple[float, ...] = (1.0,)

    @property
    def strength(self) -> float:
        """The inverse regularisation strength (scikit-learn's C, or 1 / alpha) on the last stage that is read."""
        return self.chosen.strengths[-1]

    def outputs(self, features: Floats) -> torch.Tensor:
        """What the head makes of raw features, (N, C)."""
        with torch.inference_mode():
            outputs: torch.Tensor = self.head(torch.from_numpy(features))
        return outputs

    def probabilities(self, features: Floats) -> Doubles:
        """Class probabilities (N, C) of raw features."""
        probabilities: Doubles = self.outputs(features).double().softmax(dim=1).numpy()
        return probabilities


def solve_logistic(
    features: Floats,
    targets: Ints,
    classes: int,
    phase: Solve,
    seed: int,
    widths: Sequence[int] = (),
    together: Sequence[int] = (),
) -> Solution:
    """The head with the smallest cross-validated log loss, fitted on all samples.

    Args:
        features: (N, D).
        targets: (N,), 0 to C - 1; every class must occur.
        classes: C.
        phase: Strengths and folds.
        seed: Of the folds.
        widths: Of the stages that the features are of, side by side; empty = one stage.
        together: (N,) a number that samples share which no fold may part; empty = each is alone.
    """
    return solved(features, targets, classes, choose(features, targets, phase, seed, widths, together), widths)


def choose(
    features: Floats,
    targets: Ints,
    phase: Solve,
    seed: int,
    widths: Sequence[int] = (),
    together: Sequence[int] = (),
) -> Chosen:
    """Strength and weight of every stage, by what held-out samples say; arguments as `solve_logistic` has them."""
    parts = _parts(features, widths)
    settled = len(parts) == 1 and len(phase.strengths) == 1
    folds = [] if settled else stratified_folds(targets, phase.folds, seed, together)
    if not folds:  # there is nothing to choose, or nothing to choose by
        middle = sorted(phase.strengths)[len(phase.strengths) // 2]
        return Chosen((middle,) * len(parts), tuple(resting_weights(len(parts))), {middle: float("nan")})
    labels = np.searchsorted(np.unique(targets), targets)
    paths = [held_out(part, labels, phase.strengths, folds) for part in parts]
    best = [best_of(path) for path in paths]
    seen = np.concatenate([rows for _, rows in folds])
    weights = pool_weights([one.probabilities[seen] for one in best], labels[seen]) if len(parts) > 1 else [1.0]
    path = {one.strength: one.loss for one in paths[-1]}
    return Chosen(tuple(one.strength for one in best), tuple(map(float, weights)), path)


def held_out(features: Floats, labels: Ints, strengths: Sequence[float], folds: Folds) -> list[HeldOut]:
    """The path of one stage's raw features, (N, D), to where it gets worse."""
    mean, scale = _standard(features)
    classes = int(labels.max()) + 1
    return until_worse(held_out_path((features - mean) / scale, labels, classes, folds, strengths))


def solved(features: Floats, targets: Ints, classes: int, chosen: Chosen, widths: Sequence[int] = ()) -> Solution:
    """The head of these strengths and weights: one regression per stage, their logits summed by weight.

    So each stage is regularised by itself, as wide and as telling as it is. Summed logits are those of one linear
    layer on all the features. All stages side by side in one regression were worse by one to two points on average
    (benchmarks/pool.py); Head2Toe (Evci 2022) reads all stages likewise and selects features instead.
    """
    head = LogisticHead(features.shape[1], classes)
    start, moved = 0, []
    with torch.no_grad():
        for part, strength, counts in zip(_parts(features, widths), chosen.strengths, chosen.weights, strict=True):
            mean, scale = _standard(part)
            inputs = (part - mean) / scale
            model = LogisticRegression(C=strength, tol=TOLERANCE, max_iter=MOST_ITERATIONS)
            weight, bias = _all_classes(model.fit(inputs, targets))
            columns = slice(start, start + part.shape[1])
            head.mean[columns] = torch.from_numpy(mean)
            head.scale[columns] = torch.from_numpy(scale)
            head.weight[:, columns] = counts * torch.from_numpy(weight)
            head.bias += counts * torch.from_numpy(bias)
            moved.append(counts * float((inputs @ weight.T).std()))
            start += part.shape[1]
    total = sum(moved)
    shares = tuple(one / total if total else 1 / len(moved) for one in moved)
    found = Solution(head, chosen, 0.0, shares)
    return replace(found, loss=float(log_loss(targets, found.probabilities(features), labels=range(classes))))


def solve_ridge(
    features: Floats, targets: Doubles, phase: Solve, widths: Sequence[int] = (), together: Sequence[int] = ()
) -> Solution:
    """The head with the smallest leave-one-out squared error (closed form, Golub 1979), fitted on all samples.

    Where samples belong together, groups are left out and not single samples.

    Args:
        features: (N, D).
        targets: (N,) quantities.
        phase: Strengths; the penalty is 1 / strength.
        widths: Of the stages that the features are of, side by side. Each is scaled to the same total variance: a
            wide stage would else be regularised less than a narrow one.
        together: (N,) a number that samples share which must be left out together; empty = each is alone.
    """
    mean, scale = _standard(features)
    if len(widths) > 1:
        scale = scale * np.sqrt(np.repeat(widths, widths) / np.mean(widths)).astype(np.float32)
    inputs = ((features - mean) / scale).astype(np.float64)
    head = RidgeHead(features.shape[1])
    head.begin(torch.from_numpy(targets))
    centre = float(head.centre)
    alphas, folds = [1 / strength for strength in phase.strengths], group_folds(together)
    model = RidgeCV(alphas=alphas, fit_intercept=False, scoring=folds and "neg_mean_squared_error", cv=folds)
    model.fit(inputs, targets - centre)
    with torch.no_grad():
        head.mean.copy_(torch.from_numpy(mean))
        head.scale.copy_(torch.from_numpy(scale))
        head.weight.copy_(torch.from_numpy(model.coef_[None]))
    left = (targets - centre - model.predict(inputs)) / float(head.spread)
    return Solution(head, Chosen((1 / float(model.alpha_),), (1.0,), {}), float(np.square(left).mean()))


def _parts(features: Floats, widths: Sequence[int]) -> list[Floats]:
    """The features of each stage."""
    return np.split(features, np.cumsum(widths)[:-1], axis=1) if len(widths) > 1 else [features]


def _standard(features: Floats) -> tuple[Floats, Floats]:
    """Mean and scale (D,) of each feature."""
    mean, scale = features.mean(axis=0), features.std(axis=0)
    # A feature that never changes would be divided by almost nothing.
    scale = np.where(scale > 1e-6 * max(float(np.abs(mean).max()), 1e-12), scale, 1.0)
    return mean, scale.astype(np.float32)


def _all_classes(model: LogisticRegression) -> tuple[Floats, Floats]:
    """Weights (C, D) and biases (C,); scikit-learn keeps one row for two classes."""
    weight, bias = model.coef_, model.intercept_
    if len(model.classes_) == 2:
        weight, bias = np.concatenate([-weight / 2, weight / 2]), np.concatenate([-bias / 2, bias / 2])
    return weight.astype(np.float32), bias.astype(np.float32)
