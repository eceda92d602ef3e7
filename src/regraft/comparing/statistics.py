"""Intervals and paired tests over seeds and test samples (or groups of them), for any metric."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from regraft.comparing.trials import Trial

Floats = NDArray[np.float64]

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Difference:
    """Mean paired difference of two groups of trials.

    Attributes:
        mean: First minus second.
        low: Of the 95 % interval.
        high: Of the same.
        p_value: Two-sided.
    """

    mean: float
    low: float
    high: float
    p_value: float


def mean_draws(trials: Sequence[Trial]) -> Floats:
    """The mean metric of a strategy's seeds under resampling of test samples and of seeds, (R,).

    S - 1 of S seeds are drawn: with S, the variance would come out (S - 1) / S too small, by half for two seeds
    (McCarthy and Snowden 1985, "The bootstrap and finite population sampling"; Rao and Wu 1988, equation 2.1 with
    m = n - 1). One seed tells nothing of seeds, and the interval is that of test samples alone.

    Equal numbers of seeds are drawn alike, so that groups with the same seeds stay paired.
    """
    return _over_seeds(np.array([trial.draws for trial in trials], dtype=float))


def _over_seeds(values: Floats) -> Floats:
    """Means (R,) of values (S, R) over drawn seeds."""
    seeds, resamples = values.shape
    drawn = max(seeds - 1, 1)
    weights = np.random.default_rng(0).multinomial(drawn, np.full(seeds, 1 / seeds), size=resamples) / drawn
    means: Floats = np.einsum("rs,sr->r", weights, values)
    return means


def interval(draws: Floats) -> tuple[float, float]:
    """The 95 % percentile interval (Efron 1979)."""
    tail = 100 * (1 - CONFIDENCE) / 2
    low, high = np.nanpercentile(draws, [tail, 100 - tail])
    return float(low), float(high)


def mean_metric(trials: Sequence[Trial]) -> float:
    """The mean over seeds."""
    return float(np.mean([trial.metric for trial in trials]))


def paired_difference(first: Sequence[Trial], second: Sequence[Trial]) -> Difference:
    """How much better the first is, seed by seed and resample by resample.

    The p-value is that of the bootstrap test: how often draws, shifted to a mean difference of 0, lie as far from 0
    as what was measured (Efron and Tibshirani 1993, "An Introduction to the Bootstrap", section 16.4).

    Args:
        first: Trials of one strategy on one number of shots.
        second: Of another, with seeds in common.
    """
    others = {trial.seed: trial for trial in second}
    pairs = [(trial, others[trial.seed]) for trial in first if trial.seed in others]
    mean = float(np.mean([one.metric - other.metric for one, other in pairs]))
    draws = _over_seeds(np.array([np.subtract(one.draws, other.draws) for one, other in pairs]))
    low, high = interval(draws)
    far = np.abs(draws - mean) >= abs(mean) - 1e-12
    return Difference(mean, low, high, float((1 + far.sum()) / (1 + len(draws))))


def holm(p_values: Sequence[float]) -> list[float]:
    """P-values adjusted for how many there are (Holm 1979, "A simple sequentially rejective multiple test procedure")."""
    count, largest = len(p_values), 0.0
    adjusted = [0.0] * count
    for rank, index in enumerate(sorted(range(count), key=lambda i: p_values[i])):
        largest = max(largest, min((count - rank) * p_values[index], 1.0))
        adjusted[index] = largest
    return adjusted
