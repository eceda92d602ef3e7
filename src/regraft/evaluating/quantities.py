"""Metrics of predicted quantities."""

from collections.abc import Sequence

import numpy as np
from scipy.stats import rankdata

from regraft.evaluating.bootstrap import Floats, Ints, bootstrap
from regraft.evaluating.metrics import Evaluation


def evaluate_quantities(
    targets: Floats, predicted: Floats, *, seed: int = 0, together: Sequence[int] = ()
) -> Evaluation:
    """Correlations and errors, each with a bootstrap interval.

    Args:
        targets: (N,) float, the true quantities.
        predicted: (N,) float.
        seed: Of the bootstrap over samples.
        together: (N,) a number for each sample, shared by those that belong together: groups are resampled then.

    Returns:
        `pearson`, `spearman` (both 0 where one side never changes), `rmse`, `mean_absolute_error` in the unit of
        the targets, and `squared_error` as a share of the targets' variance.
    """
    targets, predicted = np.asarray(targets, float), np.asarray(predicted, float)

    def metrics(rows: Ints) -> dict[str, float]:
        truth, guess = targets[rows], predicted[rows]
        squared = float(np.square(truth - guess).mean())
        return {
            "pearson": _correlation(truth, guess),
            "spearman": _correlation(rankdata(truth), rankdata(guess)),
            "rmse": squared**0.5,
            "mean_absolute_error": float(np.abs(truth - guess).mean()),
            "squared_error": squared / max(float(truth.var()), 1e-12),
        }

    return Evaluation.of(bootstrap(len(targets), metrics, seed=seed, together=together), len(targets))


def _correlation(first: Floats, second: Floats) -> float:
    first, second = first - first.mean(), second - second.mean()
    size = float(np.sqrt(np.square(first).sum() * np.square(second).sum()))
    return float((first * second).sum() / size) if size > 0 else 0.0
