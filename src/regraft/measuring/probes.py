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
from regraft.scores.ridge import correlation, fitted, undecided_alike

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
        hits: (M,) 1 where the held-out prediction is right, of those that were held out; of quantities what each group
            of samples adds to the correlation. Their mean is `value`, their spread its uncertainty.
        held: (N, C) held-out class probabilities, even where nothing was held out, or (N, 1) held-out predictions.
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
    features: Any,
    targets: Ints | Doubles,
    classes: int,
    folds: Folds,
    strengths: Sequence[float] = STRENGTHS,
    groups: Ints | None = None,
) -> Probed:
    """Logistic regression, or ridge regression where `classes` is 0.

    Args:
        features: (N, D), standardised; a sparse matrix where there are classes.
        targets: (N,).
        classes: C, or 0.
        folds: (learnt from, held out) rows; unused for quantities, where leaving one group out is exact and cheap.
        strengths: To choose from, ascending.
        groups: (N,) of quantities, what is left out together; None = each sample is alone.
    """
    if not classes:
        groups = np.arange(len(targets)) if groups is None else groups
        return _probed_quantities(Spectrum.of(features, centre=True), np.asarray(targets, dtype=np.float64), groups)
    labels = np.asarray(targets, dtype=np.int64)
    best = best_of(until_worse(held_out_path(features, labels, classes, folds, strengths)))
    held = best.probabilities
    seen = held_out(folds)
    hits = (held[seen].argmax(axis=1) == labels[seen]).astype(np.float64)
    value = float(hits.mean())
    return Probed(value, *share_interval(value, len(seen)), best.train, hits, held, best.strength)


def _probed_quantities(spectrum: Spectrum, targets: Doubles, groups: Ints) -> Probed:
    wanted = targets[:, None]
    held = undecided_alike(spectrum, wanted, groups)
    value = correlation(held[:, 0], targets)
    train = correlation(fitted(spectrum, wanted, groups)[:, 0], targets)
    parts = _contributions(held[:, 0], targets, groups)
    return Probed(value, *correlation_interval(value, len(parts)), train, parts, held, float("nan"))


def _contributions(held: Doubles, targets: Doubles, groups: Ints) -> Doubles:
    """(G,) a correlation plus the influence of each group on it (Hampel 1974): their mean is the correlation.

    Differences of two probes' contributions on the same samples tell how sure the difference of their correlations is.
    """
    one, other = (values - values.mean() for values in (held, targets))
    one, other = one / max(float(one.std()), TINY), other / max(float(other.std()), TINY)
    value = float((one * other).mean())
    influence = one * other - value * (np.square(one) + np.square(other)) / 2
    _, members = np.unique(groups, return_inverse=True)
    count = int(members.max()) + 1
    found: Doubles = value + np.bincount(members, influence, count) * count / len(held)
    return found


def standardised(features: Floats) -> Floats:
    """Each feature with mean 0 and standard deviation 1; one that never changes becomes 0."""
    mean, scale = features.mean(axis=0), features.std(axis=0)
    changes = scale > 1e-6 * max(float(np.abs(mean).max()), TINY)
    found: Floats = ((features - mean) * (changes / np.where(changes, scale, 1.0))).astype(np.float32)
    return found


def folds_of(targets: Ints, groups: Ints, seed: int) -> Folds:
    """Five stratified folds that keep twins together, fewer where no class has five groups; none where none has two.

    A rare class is held out in as many folds as it has groups, so that it costs the others no fold. What is left of a
    class must be learnt from: a sample whose class would be missing there is not held out.

    Args:
        targets: (N,) class numbers.
        groups: (N,) twins share theirs.
        seed: Of the shuffle.
    """
    largest = max(len(np.unique(groups[targets == label])) for label in np.unique(targets))
    count = min(FOLDS, largest)
    if count < 2:
        return []
    grouped = len(np.unique(groups)) < len(groups)
    kind = StratifiedGroupKFold if grouped else StratifiedKFold
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of classes with fewer samples than folds
        found = list(kind(count, shuffle=True, random_state=seed).split(targets, targets, groups))
    known = [(learnt, held[np.isin(targets[held], targets[learnt])]) for learnt, held in found]
    return [(learnt, held) for learnt, held in known if len(held) and len(np.unique(targets[learnt])) > 1]


def held_out(folds: Folds) -> Ints:
    """The rows that some fold holds out, ascending."""
    return np.unique(np.concatenate([rows for _, rows in folds]))


def paired_half(first: Probed, second: Probed, deviations: float = Z80) -> float:
    """Half the interval of the difference of two probes of the same samples, what both find hard not counted.

    Args:
        first: A probe.
        second: Another, in the same folds.
        deviations: Standard deviations that the interval reaches to either side.
    """
    return deviations * float((first.hits - second.hits).std()) / float(np.sqrt(len(first.hits)))


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
