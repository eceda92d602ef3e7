"""Percentile-bootstrap intervals of any metric over samples (Efron 1979), or over groups of samples (Field 2007)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

RESAMPLES = 1000
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Bootstrap:
    """Metrics, each with its interval and its value on every resample.

    Attributes:
        metrics: Value by name.
        intervals: (low, high) by name.
        draws: (R,) by name.
        groups: How many groups were drawn from; 0 = samples were drawn one by one.
    """

    metrics: Mapping[str, float]
    intervals: Mapping[str, tuple[float, float]]
    draws: Mapping[str, Floats]
    groups: int = 0


def bootstrap(
    samples: int, metrics: Callable[[Ints], Mapping[str, float]], *, seed: int = 0, together: Sequence[int] = ()
) -> Bootstrap:
    """Metrics of all samples and of resamples with replacement.

    Where samples belong together, whole groups are drawn, as many as there are: pictures of one patient are right or
    wrong together, and drawn one by one they would count as more evidence than they are (Field and Welsh 2007,
    "Bootstrapping clustered data", the randomised cluster bootstrap). With few groups, below twenty or so, such an
    interval is still somewhat narrow. Of a single group nothing between groups can be told: its samples are drawn.

    Equal `samples`, `together` and `seed` give equal resamples, so that draws of two models on one split are paired.

    Args:
        samples: N.
        metrics: From row numbers, (N,) or as many as the drawn groups hold, repeats included, to values by name.
        seed: Of the resampling.
        together: (N,) a number for each sample, shared by those that belong together; empty = each by itself.
    """
    rng = np.random.default_rng(seed)
    groups = _Groups.of(together) if in_groups(together) else None
    found = [
        metrics(rng.integers(0, samples, samples) if groups is None else groups.draw(rng)) for _ in range(RESAMPLES)
    ]
    whole = dict(metrics(np.arange(samples)))
    draws = {name: np.array([draw[name] for draw in found]) for name in whole}
    tail = 100 * (1 - CONFIDENCE) / 2
    intervals = {}
    for name, values in draws.items():
        known = values[~np.isnan(values)]
        low, high = np.percentile(known, [tail, 100 - tail]) if len(known) else (np.nan, np.nan)
        intervals[name] = (float(low), float(high))
    return Bootstrap(whole, intervals, draws, 0 if groups is None else len(groups.sizes))


def in_groups(together: Sequence[int]) -> bool:
    """Whether groups are drawn instead of samples: some have several members, and there is more than one."""
    return 1 < len(set(together)) < len(together)


@dataclass(frozen=True)
class _Groups:
    """Rows by group.

    Attributes:
        rows: (N,) row numbers, group after group.
        starts: (G,) where each group begins in them.
        sizes: (G,) how many rows each has.
    """

    rows: Ints
    starts: Ints
    sizes: Ints

    @classmethod
    def of(cls, together: Sequence[int]) -> "_Groups":
        _, members = np.unique(np.asarray(together), return_inverse=True)
        sizes = np.bincount(members)
        return cls(np.argsort(members, kind="stable"), np.cumsum(sizes) - sizes, sizes)

    def draw(self, rng: np.random.Generator) -> Ints:
        """The rows of G groups drawn with replacement."""
        drawn = rng.integers(0, len(self.sizes), len(self.sizes))
        sizes = self.sizes[drawn]
        begins = np.cumsum(sizes) - sizes
        # Each row's place in its group, after the place where that group begins.
        within = np.arange(sizes.sum()) - np.repeat(begins, sizes)
        rows: Ints = self.rows[np.repeat(self.starts[drawn], sizes) + within]
        return rows
