"""Leave-one-out ridge regression: a linear probe whose every hold-out is exact (Golub, Heath and Wahba 1979)."""

import numpy as np

from regraft.scores.contract import Floats, Score, ScoreInputs
from regraft.scores.spectrum import Spectrum

PENALTIES = tuple(10.0 ** (exponent / 2) for exponent in range(-6, 7))  # times the mean eigenvalue


def ridge(inputs: ScoreInputs) -> float:
    """Leave-one-out accuracy of a ridge classifier; of quantities the correlation of held-out predictions."""
    if inputs.classes:
        held = undecided_alike(inputs.centred, inputs.one_hot)
        return float((held.argmax(axis=1) == inputs.targets).mean())
    held = leave_one_out(inputs.centred, inputs.one_hot)
    return float(np.corrcoef(held[:, 0], inputs.one_hot[:, 0])[0, 1])


def leave_one_out(spectrum: Spectrum, outputs: Floats) -> Floats:
    """(N, C) what a ridge regression without a sample says of it, at the penalty that errs least.

    Args:
        spectrum: Of the centred features.
        outputs: (N, C) what is to be predicted.
    """
    return _best(spectrum, outputs)[1]


def undecided_alike(spectrum: Spectrum, one_hot: Floats) -> Floats:
    """The same of classes, but with the shares that classes have among all samples.

    Without the sample its own class is the rarer by one. Where features say nothing, that alone would decide, and
    always wrongly.
    """
    without = (one_hot.sum(axis=0) - one_hot) / max(len(one_hot) - 1, 1)
    found: Floats = leave_one_out(spectrum, one_hot) - without + one_hot.mean(axis=0)
    return found


def fitted(spectrum: Spectrum, outputs: Floats) -> Floats:
    """(N, C) what the ridge regression of the same penalty says of the samples that it has learnt from."""
    return _best(spectrum, outputs)[0]


def _best(spectrum: Spectrum, outputs: Floats) -> tuple[Floats, Floats]:
    """Fitted and held-out outputs at the penalty that errs least."""
    mean = outputs.mean(axis=0)
    wanted = outputs - mean
    projected = spectrum.left.T @ wanted
    squared = np.square(spectrum.left)
    least, best = np.inf, (outputs, outputs)
    for penalty in PENALTIES:
        kept = spectrum.values / (spectrum.values + penalty * spectrum.values.mean())
        learnt = spectrum.left @ (kept[:, None] * projected)
        # The 1 / N is the mean's: it too is learnt without the sample.
        leverage = squared @ kept + 1 / len(spectrum)
        errors = (wanted - learnt) / np.maximum(1 - leverage, 1e-6)[:, None]
        loss = float(np.square(errors).mean())
        if loss < least:
            least, best = loss, (learnt + mean, outputs - errors)
    return best


RIDGE = Score("ridge", ridge, ("classes", "quantities"), "leave-one-out result of a ridge regression")
