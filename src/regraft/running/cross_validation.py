"""Logistic regression on folds: what each regularisation strength says of samples that it has not seen."""

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, StratifiedGroupKFold, StratifiedKFold

from regraft.scores import Spectrum

Ints = NDArray[np.int64]
Doubles = NDArray[np.float64]
Folds = list[tuple[Ints, Ints]]

TOLERANCE = 1e-3  # the log loss between strengths differs by far more
MOST_ITERATIONS = 200  # each fit goes on from the strength before
WORSE = 1.02  # a strength whose log loss is this much above the best ends the search
ROTATE_FROM = 2  # features per sample
MOST_FOLDS = 5
LEAST = 1e-7


@dataclass(frozen=True)
class HeldOut:
    """One strength, and what it says of samples that were held out.

    Attributes:
        strength: Inverse regularisation strength (scikit-learn's C).
        loss: Their mean log loss.
        probabilities: (N, C); even where a sample was never held out.
        train: Accuracy on what was learnt from, mean over folds.
    """

    strength: float
    loss: float
    probabilities: Doubles
    train: float


def held_out_path(
    features: Any, labels: Ints, classes: int, folds: Folds, strengths: Sequence[float]
) -> Iterator[HeldOut]:
    """Every strength in turn, ascending, each fit started from the one before.

    Args:
        features: (N, D), standardised; a sparse matrix will do.
        labels: (N,), 0 to C - 1.
        classes: C.
        folds: (learnt from, held out) rows; a class may be missing from what is learnt.
        strengths: scikit-learn's C.
    """
    inputs = _rotated(features)
    models = [LogisticRegression(tol=TOLERANCE, max_iter=MOST_ITERATIONS, warm_start=True) for _ in folds]
    seen = np.concatenate([rows for _, rows in folds])
    for strength in sorted(strengths):
        held = np.full((len(labels), classes), 1 / classes)
        train = []
        for model, (learnt, rows) in zip(models, folds, strict=True):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)
                model.set_params(C=strength).fit(inputs[learnt], labels[learnt])
            held[rows] = 0
            held[np.ix_(rows, model.classes_)] = model.predict_proba(inputs[rows])
            train.append(float((model.predict(inputs[learnt]) == labels[learnt]).mean()))
        loss = float(-np.log(held[seen, labels[seen]].clip(LEAST)).mean())
        yield HeldOut(strength, loss, held, float(np.mean(train)))


def until_worse(path: Iterator[HeldOut]) -> list[HeldOut]:
    """The path up to where the loss has clearly risen again: stronger fits take longest and would be worse still."""
    found: list[HeldOut] = []
    for one in path:
        found.append(one)
        if one.loss > WORSE * min(other.loss for other in found):
            break
    return found


def best_of(path: Sequence[HeldOut]) -> HeldOut:
    """The strength with the smallest loss, the more regularised of equals."""
    return min(path, key=lambda one: (one.loss, one.strength))


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


def group_folds(together: Sequence[int]) -> Folds | None:
    """(learnt, held) rows that part no group; None where each sample is alone or all belong together."""
    count = len(np.unique(together))
    if count < 2 or count == len(together):
        return None
    rows = np.zeros(len(together))
    return list(GroupKFold(min(MOST_FOLDS, count)).split(rows, groups=together))


def _rotated(features: Any) -> Any:
    """The same in as many directions as there are samples: the solution stays, and is cheaper to find."""
    if isinstance(features, np.ndarray) and ROTATE_FROM * len(features) <= features.shape[1]:
        return Spectrum.of(features, centre=True).coordinates.astype(np.float32)
    return features
