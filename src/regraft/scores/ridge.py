"""Leave-one-out ridge regression: a linear probe whose every hold-out is exact (Golub, Heath and Wahba 1979).

Samples that belong together are left out together, which is exact too.
"""

import numpy as np

from regraft.scores.contract import Floats, Ints, Score, ScoreInputs
from regraft.scores.spectrum import Spectrum

PENALTIES = tuple(10.0 ** (exponent / 2) for exponent in range(-6, 7))  # times the mean eigenvalue
LEAST = 1e-6  # of a sample's leverage, what is its own: below it nothing is foretold
ROUNDING = 1e-9  # of what is to be predicted: the spread of predictions that are all the same


def ridge(inputs: ScoreInputs) -> float:
    """Leave-one-out accuracy of a ridge classifier; of quantities the correlation of held-out predictions.

    NaN where all samples belong together.
    """
    if inputs.groups is not None and len(np.unique(inputs.groups)) < 2:
        return float("nan")
    held = undecided_alike(inputs.centred, inputs.one_hot, inputs.groups)
    if inputs.classes:
        return float((held.argmax(axis=1) == inputs.targets).mean())
    return correlation(held[:, 0], inputs.one_hot[:, 0])


def correlation(held: Floats, wanted: Floats) -> float:
    """Pearson's correlation of predictions; 0 where either does not vary by more than rounding does."""
    if float(held.std()) <= ROUNDING * float(wanted.std()) or float(wanted.std()) == 0:
        return 0.0
    return float(np.corrcoef(held, wanted)[0, 1])


def leave_one_out(spectrum: Spectrum, outputs: Floats, groups: Ints | None = None) -> Floats:
    """(N, C) what a ridge regression without a sample, or without its group, says of it, at the penalty that errs least.

    Args:
        spectrum: Of the centred features.
        outputs: (N, C) what is to be predicted.
        groups: (N,) numbers of at least two groups; None = each sample is alone.
    """
    return _best(spectrum, outputs, groups)[1]


def undecided_alike(spectrum: Spectrum, outputs: Floats, groups: Ints | None = None) -> Floats:
    """The same, but around the mean of all outputs.

    Without the sample its own class is the rarer by one, and the mean of quantities lies further from its own. Where
    features say nothing, that alone would decide, and always wrongly.
    """
    own, left = outputs.copy(), np.full((len(outputs), 1), len(outputs) - 1)
    for rows in _shared(groups):
        own[rows], left[rows] = outputs[rows].sum(axis=1, keepdims=True), len(outputs) - rows.shape[1]
    without = (outputs.sum(axis=0) - own) / np.maximum(left, 1)
    found: Floats = leave_one_out(spectrum, outputs, groups) - without + outputs.mean(axis=0)
    return found


def fitted(spectrum: Spectrum, outputs: Floats, groups: Ints | None = None) -> Floats:
    """(N, C) what the ridge regression of the same penalty says of the samples that it has learnt from."""
    return _best(spectrum, outputs, groups)[0]


def _best(spectrum: Spectrum, outputs: Floats, groups: Ints | None) -> tuple[Floats, Floats]:
    """Fitted and held-out outputs at the penalty that errs least."""
    shared = _shared(groups)
    mean = outputs.mean(axis=0)
    wanted = outputs - mean
    projected = spectrum.left.T @ wanted
    squared = np.square(spectrum.left)
    scale = float(spectrum.values.mean()) if len(spectrum.values) else 1.0
    least, best = np.inf, (outputs, outputs)
    for penalty in PENALTIES:
        kept = spectrum.values / (spectrum.values + penalty * scale)
        learnt = spectrum.left @ (kept[:, None] * projected)
        # The 1 / N is the mean's: it too is learnt without the sample.
        leverage = squared @ kept + 1 / len(spectrum)
        errors = (wanted - learnt) / np.maximum(1 - leverage, LEAST)[:, None]
        if shared:
            reach = np.hstack([spectrum.left * np.sqrt(kept), np.full((len(spectrum), 1), len(spectrum) ** -0.5)])
            for rows in shared:
                errors[rows] = _without_each_other(reach[rows], wanted[rows] - learnt[rows])
        loss = float(np.square(errors).mean())
        if loss < least:
            least, best = loss, (learnt + mean, outputs - errors)
    return best


def _shared(groups: Ints | None) -> list[Ints]:
    """The rows of groups that have more than one: (G, M) of each size M, so that all of a size are solved at once."""
    if groups is None:
        return []
    _, members, counts = np.unique(groups, return_inverse=True, return_counts=True)
    order, ends = np.argsort(members, kind="stable"), np.cumsum(counts)
    sizes = [size for size in np.unique(counts) if size > 1]
    return [order[(ends - size)[counts == size][:, None] + np.arange(size)] for size in sizes]


def _without_each_other(reach: Floats, residuals: Floats) -> Floats:
    """(G, M, C) errors of groups once none of a group is learnt from: (1 - H)^-1 times its residuals, H = U U^T.

    Args:
        reach: (G, M, R + 1) U, the groups' rows of the left singular vectors, shrunk, and of the mean.
        residuals: (G, M, C) errors of the regression that has learnt from all.
    """
    samples, width = reach.shape[1:]
    turned = reach.swapaxes(1, 2)
    if samples <= width:
        return np.asarray(np.linalg.solve((1 + LEAST) * np.eye(samples) - reach @ turned, residuals), dtype=np.float64)
    # The same by Woodbury's identity, in as many equations as there are directions.
    along = np.linalg.solve((1 + LEAST) * np.eye(width) - turned @ reach, turned @ residuals)
    return np.asarray(residuals + reach @ along, dtype=np.float64)


RIDGE = Score("ridge", ridge, ("classes", "quantities"), "leave-one-out result of a ridge regression")
