"""Learning curves: how the metric grows with labels, and what more labels would bring.

The error falls as a power of the number of samples down to a floor, error(n) = a + b n^-c (Hestness 2017, "Deep
Learning Scaling is Predictable, Empirically", equation 1; Viering and Loog 2022, "The Shape of Learning Curves: a
Review", table 1, POW3). It does so over a range; further out it is a guess, which is why a measured point is held back.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from regraft.comparing.statistics import interval, mean_draws, mean_metric
from regraft.comparing.trials import Trial
from regraft.evaluating.power_law import PowerLaw, fit_power_law

Floats = NDArray[np.float64]

FEWEST_SIZES = 3  # as many as the curve has parameters
FEWEST_TO_HOLD_BACK = 4
EXTRA_LABELS = 200


@dataclass(frozen=True)
class HeldBack:
    """The largest size as predicted from the smaller ones, and as measured; all are values of the metric."""

    labels: float
    predicted: float
    low: float
    high: float
    measured: float

    @property
    def covered(self) -> bool:
        """Whether the interval of the prediction holds what was measured."""
        return self.low <= self.measured <= self.high


@dataclass(frozen=True)
class Extrapolation:
    """What `extra` labels beyond the largest size would change: `change` ± `margin` (95 %) of the metric."""

    extra: int
    change: float
    margin: float


@dataclass(frozen=True)
class LearningCurve:
    """The metric of a strategy against labels.

    Attributes:
        strategy: Its name.
        labels: (P,) ascending, of the whole labelled set.
        means: (P,) the metric.
        draws: (R, P) the metric under resampling.
        law: Fitted to the means; None with fewer than three sizes.
        laws: Fitted to each resample.
    """

    strategy: str
    labels: Floats
    means: Floats
    draws: Floats
    law: PowerLaw | None
    laws: PowerLaw | None

    @classmethod
    def of(cls, strategy: str, groups: Sequence[Sequence[Trial]]) -> "LearningCurve":
        """From the trials at each size."""
        groups = sorted(groups, key=lambda group: np.mean([trial.labels for trial in group]))
        labels = np.array([np.mean([trial.labels for trial in group]) for group in groups], dtype=float)
        means = np.array([mean_metric(group) for group in groups])
        draws = np.stack([mean_draws(group) for group in groups], axis=1)
        return cls(strategy, labels, means, draws, *_laws(labels, means, draws))

    @property
    def extrapolation(self) -> Extrapolation | None:
        """What more labels would bring; at most as many as there are, beyond which a power law is fancy."""
        return self.further(int(min(EXTRA_LABELS, self.labels[-1])))

    def further(self, extra: int) -> Extrapolation | None:
        """What `extra` labels beyond the largest size would change; None without a fit."""
        if self.law is None or self.laws is None:
            return None
        most = self.labels[-1]
        low, high = interval(self.laws(most) - self.laws(most + extra))
        return Extrapolation(extra, float((self.law(most) - self.law(most + extra))[0]), (high - low) / 2)

    @property
    def held_back(self) -> HeldBack | None:
        """The check: the largest size predicted without it."""
        if len(self.labels) < FEWEST_TO_HOLD_BACK:
            return None
        law, laws = _laws(self.labels[:-1], self.means[:-1], self.draws[:, :-1])
        if law is None or laws is None:
            return None
        most = float(self.labels[-1])
        low, high = interval(1 - laws(most))
        return HeldBack(most, float(1 - law(most)[0]), low, high, float(self.means[-1]))

    def at(self, labels: float) -> tuple[float, float, float] | None:
        """The fitted metric with its interval; None without a fit."""
        if self.law is None or self.laws is None:
            return None
        return float(1 - self.law(labels)[0]), *interval(1 - self.laws(labels))


def _laws(labels: Floats, means: Floats, draws: Floats) -> tuple[PowerLaw | None, PowerLaw | None]:
    if len(labels) < FEWEST_SIZES:
        return None, None
    spread = draws.std(axis=0)
    return fit_power_law(labels, 1 - means[None], spread), fit_power_law(labels, 1 - draws, spread)


def curves_of(groups: Sequence[Sequence[Trial]]) -> tuple[LearningCurve, ...]:
    """One curve per strategy, in the order in which they ran."""
    by_strategy: dict[str, list[Sequence[Trial]]] = {}
    for group in groups:
        by_strategy.setdefault(group[0].strategy, []).append(group)
    return tuple(LearningCurve.of(strategy, of_it) for strategy, of_it in by_strategy.items())
