"""How an error falls with samples, error(n) = a + b n^-c, fitted to measured points.

Hestness 2017, "Deep Learning Scaling is Predictable, Empirically", equation 1; Viering and Loog 2022, "The Shape of
Learning Curves: a Review", table 1, POW3.
"""

from dataclasses import dataclass

import numpy as np

from regraft.evaluating.bootstrap import Floats

# Hestness 2017 measures c from 0.07 to 0.35, learning theory says at most 1 without a floor: this leaves room.
EXPONENTS = np.geomspace(0.02, 3.0, 200)
SMALLEST_SPREAD = 1e-3  # of a measured point: none is known better than to a tenth of a point


@dataclass(frozen=True)
class PowerLaw:
    """error(n) = floor + scale (n / unit)^-exponent; several of them where the fields are arrays (R,)."""

    floor: Floats
    scale: Floats
    exponent: Floats
    unit: float

    def __call__(self, labels: float) -> Floats:
        """The error at a number of labels."""
        value: Floats = self.floor + self.scale * (labels / self.unit) ** -self.exponent
        return value

    def labels_for(self, error: Floats) -> Floats:
        """The labels at which the error falls to a value; infinite where it never does."""
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            found: Floats = self.unit * ((error - self.floor) / self.scale) ** (-1 / self.exponent)
        reached = (error > self.floor) & (self.scale > 0)
        return np.where(reached, found, np.where(self.floor + self.scale <= error, 0.0, np.inf))


def fit_power_law(labels: Floats, errors: Floats, spread: Floats) -> PowerLaw:
    """The weighted least-squares fits with floor and scale not below 0.

    For a given exponent the problem is linear in the other two, and solved exactly; the exponent is searched on a grid
    (variable projection: Golub and Pereyra 1973). It finds what scipy.optimize.curve_fit finds, without a start to
    guess, and all resamples of a bootstrap at once: curve_fit takes seconds for those.

    Args:
        labels: (P,) sizes.
        errors: (R, P), a fit for each row.
        spread: (P,) standard deviation of each point.
    """
    unit = float(np.max(labels))
    weights = spread.clip(SMALLEST_SPREAD) ** -2.0
    weights = weights / weights.sum()
    powers = (labels / unit)[None] ** -EXPONENTS[:, None]  # (G, P)
    mean_x, mean_y = powers @ weights, errors @ weights  # (G,), (R,)
    variance = (powers**2) @ weights - mean_x**2
    covariance = np.einsum("gp,rp,p->rg", powers, errors, weights) - mean_y[:, None] * mean_x
    scale = (covariance / variance).clip(0)  # not falling: flat at its mean
    floor = mean_y[:, None] - scale * mean_x
    through = np.einsum("gp,rp,p->rg", powers, errors, weights) / ((powers**2) @ weights)
    below = floor < 0
    floor, scale = np.where(below, 0.0, floor), np.where(below, through, scale)
    misfit = np.zeros_like(floor)
    for point, weight in enumerate(weights):
        misfit += weight * (floor + scale * powers[:, point] - errors[:, point, None]) ** 2
    rows, best = np.arange(len(errors)), misfit.argmin(axis=1)
    return PowerLaw(floor[rows, best], scale[rows, best], EXPONENTS[best], unit)
