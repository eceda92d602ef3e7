"""Features in their principal axes: one eigendecomposition that scores, probes and distances share."""

import functools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SMALLEST = 1e-10  # of the largest eigenvalue: below it a direction is rounding error


@dataclass(frozen=True)
class Spectrum:
    """N samples in the R directions in which they vary, the strongest first.

    Attributes:
        coordinates: (N, R) features along each direction; its columns are orthogonal.
        values: (R,) squared length of each column: the eigenvalues of the scatter matrix.
        width: D, of the features it was made from.
        mean: (D,) what was subtracted; zeros where nothing was.
        axes: (D, R) the directions; None where D > N, since nothing needs them there.
    """

    coordinates: Floats
    values: Floats
    width: int
    mean: Floats
    axes: Floats | None = None

    @classmethod
    def of(cls, features: NDArray[np.float32] | Floats, *, centre: bool) -> "Spectrum":
        """By the smaller of the two Gram matrices, (D, D) or (N, N)."""
        inputs = np.asarray(features, dtype=np.float64)
        mean = inputs.mean(axis=0) if centre else np.zeros(inputs.shape[1])
        inputs = inputs - mean if centre else inputs
        wide = inputs.shape[1] > inputs.shape[0]
        values, vectors = np.linalg.eigh(inputs @ inputs.T if wide else inputs.T @ inputs)
        keep = values > SMALLEST * max(float(values[-1]), 1e-300)
        values, vectors = values[keep][::-1], vectors[:, keep][:, ::-1]
        coordinates = vectors * np.sqrt(values) if wide else inputs @ vectors
        return cls(np.ascontiguousarray(coordinates), values, inputs.shape[1], mean, None if wide else vectors)

    def __len__(self) -> int:
        return len(self.coordinates)

    @functools.cached_property
    def left(self) -> Floats:
        """(N, R) the coordinates with columns of length 1: left singular vectors of the features."""
        return self.coordinates / np.sqrt(self.values)

    def leading(self, most: int) -> Floats:
        """(N, min(R, most)) coordinates along the strongest directions."""
        return self.coordinates[:, :most]
