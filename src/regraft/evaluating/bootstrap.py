"""Percentile-bootstrap intervals of any metric over samples (Efron 1979)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

RESAMPLES = 1000
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Bootstrap:
    """Metrics, each with its interval and its value on every resample."""

    metrics: Mapping[str, float]
    intervals: Mapping[str, tuple[float, float]]
    draws: Mapping[str, Floats]


def bootstrap(samples: int, metrics: Callable[[Ints], Mapping[str, float]], *, seed: int = 0) -> Bootstrap:
    """Metrics of all samples and of resamples with replacement.

    Equal `samples` and `seed` give equal resamples, so that draws of two models on one split are paired.

    Args:
        samples: N.
        metrics: From row numbers (N,), repeats included, to values by name.
        seed: Of the resampling.
    """
    rng = np.random.default_rng(seed)
    found = [metrics(rng.integers(0, samples, samples)) for _ in range(RESAMPLES)]
    whole = dict(metrics(np.arange(samples)))
    draws = {name: np.array([draw[name] for draw in found]) for name in whole}
    tail = 100 * (1 - CONFIDENCE) / 2
    intervals = {}
    for name, values in draws.items():
        known = values[~np.isnan(values)]
        low, high = np.percentile(known, [tail, 100 - tail]) if len(known) else (np.nan, np.nan)
        intervals[name] = (float(low), float(high))
    return Bootstrap(whole, intervals, draws)
