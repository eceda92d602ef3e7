"""Linear probes with cross-validation: what frozen features alone say of the task (Alain and Bengio 2017)."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import norm
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from regraft.activations.rows import Floats
from regraft.running.cross_validation import Doubles, Folds, Ints, best_of, held_out_path, until_worse
from regraft.scores import Spectrum
from regraft.scores.ridge import fitted, leave_one_out

FOLDS = 5
STRENGTHS = (1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0)  # scikit-learn's C; narrow early stages want the large ones
Z80 = float(norm.ppf(0.9))
TINY = 1e-12


@dataclass(frozen=True)
class Probed:
    """What a probe found.

    Attributes:
        value: Cross-validated accuracy; of quantities, the correlation of held-out predictions.
        low: Lower end of its 80 % interval.
        high: Upper end.
        train: The same on the samples learnt from, mean over folds.
        hits: (N,) 1 where the held-out prediction is right; of quantities the squared error.
        held: (N, C) held-out class probabilities, or (N, 1) held-out predictions.
        strength: The chosen inverse regularisation; NaN for quantities.
    """

    value: float
    low: float
    high: float
    train: float
    hits: Doubles
    held: Doubles
    strength: float


def probe(
    features: Any, targets: Ints | Doubles, classes: int, folds: Folds, strengths: Sequence[float] = STRENGTHS
) -> Probed:
    """Logistic regression, or ridge regression where `classes` is 0.

    Args:
        features: (N, D), standardised; a sparse matrix where there are classes.
        targets: (N,).
        classes: C, or 0.
        folds: (learnt from, held out) rows; unused for quantities, where leaving one out is exact and free.
        strengths: To choose from, ascending.
    """
    if not classes:
        return _probed_quantities(Spectrum.of(features, centre=True), np.asarray(targets, dtype=np.float64))
    labels = np.asarray(targets, dtype=np.int64)
    best = best_of(until_worse(held_out_path(features, labels, classes, folds, strengths)))
    held = best.probabilities
    hits = (held.argmax(axis=1) == labels).astype(np.float64)
    seen = np.unique(np.concatenate([rows for _, rows in folds]))
    value = float(hits[seen].mean())
    return Probed(value, *share_interval(value, len(seen)), best.train, hits, held, best.strength)


def _probed_quantities(spectrum: Spectrum, targets: Doubles) -> Probed:
    wanted = targets[:, None]
    held = leave_one_out(spectrum, wanted)
    value = _correlation(held[:, 0], targets)
    train = _correlation(fitted(spectrum, wanted)[:, 0], targets)
    errors = np.square(held[:, 0] - targets)
    return Probed(value, *correlation_interval(value, len(targets)), train, errors, held, float("nan"))


def standardised(features: Floats) -> Floats:
    """Each feature with mean 0 and standard deviation 1; one that never changes becomes 0."""
    mean, scale = features.mean(axis=0), features.std(axis=0)
    changes = scale > 1e-6 * max(float(np.abs(mean).max()), TINY)
    found: Floats = ((features - mean) * (changes / np.where(changes, scale, 1.0))).astype(np.float32)
    return found


def folds_of(targets: Ints, groups: Ints, seed: int) -> Folds:
    """Stratified folds that keep twins together; of a class with a single sample nothing can be held out.

    Args:
        targets: (N,) class numbers.
        groups: (N,) twins share theirs.
        seed: Of the shuffle.
    """
    smallest = int(np.bincount(targets)[np.unique(targets)].min())
    count = max(2, min(FOLDS, smallest))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of classes with fewer samples than folds
        if len(np.unique(groups)) < len(groups):
            found = StratifiedGroupKFold(count, shuffle=True, random_state=seed).split(targets, targets, groups)
        else:
            found = StratifiedKFold(count, shuffle=True, random_state=seed).split(targets, targets)
        return [(learnt, held) for learnt, held in found if len(np.unique(targets[learnt])) > 1]


def share_interval(value: float, samples: int) -> tuple[float, float]:
    """The 80 % interval of a share (Wilson 1927)."""
    weight = Z80**2 / samples
    centre = (value + weight / 2) / (1 + weight)
    half = Z80 / (1 + weight) * float(np.sqrt(value * (1 - value) / samples + weight / (4 * samples)))
    return max(0.0, centre - half), min(1.0, centre + half)


def correlation_interval(value: float, samples: int) -> tuple[float, float]:
    """The 80 % interval of a correlation (Fisher 1921)."""
    half = Z80 / np.sqrt(max(samples - 3, 1))
    turned = np.arctanh(np.clip(value, -0.999999, 0.999999))
    return float(np.tanh(turned - half)), float(np.tanh(turned + half))


def _correlation(first: Doubles, second: Doubles) -> float:
    first, second = first - first.mean(), second - second.mean()
    size = float(np.sqrt(np.square(first).sum() * np.square(second).sum()))
    return float((first * second).sum() / size) if size > 0 else 0.0
