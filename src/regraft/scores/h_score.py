"""H-score with shrinkage (Ibrahim, Ponomareva and Mazumder 2021, "Newer is not always better", equations 6 to 8)."""

import numpy as np

from regraft.scores.contract import Score, ScoreInputs
from regraft.scores.spectrum import Spectrum


def h_score(inputs: ScoreInputs) -> float:
    """How much of the features' spread lies between classes: tr(S^-1 (1 - a) B), S the shrunk covariance.

    B is the covariance of class means; without shrinkage (Bao 2019, definition 2) S cannot be inverted where N < D.
    In the features' principal axes S is diagonal, so that nothing is inverted here.
    """
    spectrum, samples = inputs.centred, len(inputs.features)
    shrinkage = ledoit_wolf(spectrum)
    spread = spectrum.values / samples
    shrunk = (1 - shrinkage) * spread + shrinkage * spread.sum() / spectrum.width
    means = inputs.one_hot.T @ spectrum.coordinates / np.maximum(inputs.counts, 1)[:, None]
    between = (inputs.counts / samples) @ means**2
    return float((1 - shrinkage) * (between / shrunk).sum())


def ledoit_wolf(spectrum: Spectrum) -> float:
    """How far to shrink a covariance toward a multiple of the identity, 0-1 (Ledoit and Wolf 2004, section 3.3)."""
    samples, width = spectrum.coordinates.shape[0], spectrum.width
    spread = spectrum.values / samples
    average = spread.sum() / width
    distance = ((spread**2).sum() - width * average**2) / width
    fourth = (np.square(spectrum.coordinates).sum(axis=1) ** 2).mean()
    error = (fourth - (spread**2).sum()) / (samples * width)
    return float(min(max(error, 0.0) / distance, 1.0)) if distance > 0 else 0.0


H_SCORE = Score("h-score", h_score, ("classes",), "spread between classes over all spread, covariance shrunk")
