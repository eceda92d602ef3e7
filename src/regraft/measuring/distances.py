"""Distances between two sets of features: source data and a task's.

All are taken in the 64 directions in which both sets together vary most. With fewer samples than features a covariance
cannot be known, and in 1280 directions a linear model tells any two cameras apart.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from regraft.measuring.probes import share_interval
from regraft.measuring.source_statistics import SourceStatistics
from regraft.scores import Spectrum
from regraft.scores.ridge import undecided_alike

Doubles = NDArray[np.float64]
Found = tuple[float, float, float]  # value and the ends of its 80 % interval

DIRECTIONS = 64
RESAMPLES = 40
BLOCK = 100  # samples of each side in one estimate of MMD
BLOCKS = 40
MOST_ROWS = 512


@dataclass(frozen=True)
class Aligned:
    """Source and task in common directions.

    Attributes:
        mean: (R,) of the source.
        covariance: (R, R) of the source.
        rows: (M, R) of the source.
        target: (N, R) of the task.
        class_means: (K, R) of the source.
    """

    mean: Doubles
    covariance: Doubles
    rows: Doubles
    target: Doubles
    class_means: Doubles

    @property
    def scale(self) -> float:
        """Total variance of the source: the unit of squared distances."""
        return float(np.trace(self.covariance))


def aligned(source: SourceStatistics, features: NDArray[np.float32]) -> Aligned:
    """Both sets in the leading directions of their mean covariance, the source's mean in the origin."""
    target = features.astype(np.float64) - source.mean
    shift = target.mean(axis=0)
    within = np.cov(target, rowvar=False)
    # What separates the two counts as spread too: no difference in means is to be projected away.
    together = (source.covariance + within) / 2 + np.outer(shift, shift) / 4
    _, vectors = np.linalg.eigh(together)
    axes = vectors[:, ::-1][:, :DIRECTIONS]
    return Aligned(
        np.zeros(axes.shape[1]),
        axes.T @ source.covariance @ axes,
        (source.rows - source.mean) @ axes,
        target @ axes,
        (source.class_means - source.mean) @ axes,
    )


def frechet(pair: Aligned, rng: np.random.Generator) -> Found:
    """Frechet distance between Gaussians (Heusel 2017, equation 6) in units of the source's total variance.

    A small sample is far from its own population. So that what as many samples of the source itself would show is
    taken off, found by drawing them from its Gaussian.
    """
    root = _root(pair.covariance)
    size = len(pair.target)
    null = np.mean([_frechet(rng.normal(size=(size, len(root))) @ root, pair, root) for _ in range(RESAMPLES // 4)])
    value = _frechet(pair.target, pair, root)
    draws = [_frechet(pair.target[rng.integers(0, size, size)], pair, root) for _ in range(RESAMPLES)]
    spread = np.percentile(draws, [10, 90]) - np.mean(draws)
    ends = (value - null + spread) / pair.scale
    return float((value - null) / pair.scale), float(ends[0]), float(ends[1])


def _frechet(target: Doubles, pair: Aligned, root: Doubles) -> float:
    covariance = np.cov(target, rowvar=False)
    mixed = np.linalg.eigvalsh(root @ covariance @ root).clip(0)
    shift = float(np.square(target.mean(axis=0) - pair.mean).sum())
    return shift + float(np.trace(pair.covariance) + np.trace(covariance) - 2 * np.sqrt(mixed).sum())


def _root(covariance: Doubles) -> Doubles:
    values, vectors = np.linalg.eigh(covariance)
    found: Doubles = (vectors * np.sqrt(values.clip(0))) @ vectors.T
    return found


def mmd(pair: Aligned, rng: np.random.Generator) -> Found:
    """Squared maximum mean discrepancy under a cubic kernel, unbiased (Gretton 2012, equation 3; Binkowski 2018, KID).

    The mean over pairs of blocks, and its interval from their spread.
    """
    size = min(BLOCK, len(pair.rows), len(pair.target))
    found = [
        _mmd(
            pair.rows[rng.permutation(len(pair.rows))[:size]],
            pair.target[rng.permutation(len(pair.target))[:size]],
            pair.scale,
        )
        for _ in range(BLOCKS)
    ]
    value, half = float(np.mean(found)), 1.2816 * float(np.std(found)) / np.sqrt(max(len(pair.target) / size, 1))
    return value, value - half, value + half


def _mmd(first: Doubles, second: Doubles, scale: float) -> float:
    count = len(first)
    ours, theirs, across = (
        (one @ other.T / scale + 1) ** 3 for one, other in ((first, first), (second, second), (first, second))
    )
    within = (ours.sum() - np.trace(ours) + theirs.sum() - np.trace(theirs)) / (count * (count - 1))
    return float(within - 2 * across.mean())


def proxy_a(pair: Aligned, rng: np.random.Generator) -> Found:
    """Proxy A-distance, 2 (1 - 2 err) of a linear model that tells source from task (Ben-David 2007, section 4).

    0 = it cannot, 2 = it always can. The model is a ridge regression, its error that of leaving one out.
    """
    size = min(len(pair.rows), len(pair.target), MOST_ROWS)
    rows = np.concatenate(
        [
            pair.rows[rng.permutation(len(pair.rows))[:size]],
            pair.target[rng.permutation(len(pair.target))[:size]],
        ]
    )
    sides = np.repeat([0, 1], size)
    held = undecided_alike(Spectrum.of(rows, centre=True), np.eye(2)[sides])
    wrong = float((held.argmax(axis=1) != sides).mean())
    low, high = share_interval(wrong, 2 * size)
    return tuple(max(0.0, 2 * (1 - 2 * one)) for one in (wrong, high, low))  # type: ignore[return-value]


def class_distance(pair: Aligned, targets: NDArray[np.int64]) -> float:
    """How far the task's class means lie from the nearest of the source's (Cui 2018, section 4.1, without weights).

    In units of how far the source's own classes lie from their nearest: 1 = as if they were classes of the source.
    """
    means = np.stack([pair.target[targets == label].mean(axis=0) for label in np.unique(targets)])
    own = _apart(pair.class_means, pair.class_means)
    np.fill_diagonal(own, np.inf)
    return float(_apart(means, pair.class_means).min(axis=1).mean() / own.min(axis=1).mean())


def _apart(first: Doubles, second: Doubles) -> Doubles:
    found: Doubles = np.sqrt(np.square(first[:, None] - second[None]).sum(axis=2))
    return found
