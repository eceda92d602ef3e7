"""TransRate (Huang, Wei, Rong, Yang and Huang 2022, "Frustratingly Easy Transferability Estimation")."""

import numpy as np

from regraft.scores.contract import Floats, Score, ScoreInputs

DISTORTION = 1e-4


def transrate(inputs: ScoreInputs) -> float:
    """How many more nats all features together need than those of single classes (equation 3), at a distortion.

    R(Z) = 1/2 log det(I + Z^T Z / (N eps)) of centred features, less the class shares' mean of R(Z_c).
    """
    spectrum = inputs.centred
    whole = 0.5 * float(np.log1p(spectrum.values / (len(spectrum) * DISTORTION)).sum())
    within = 0.0
    for label, count in enumerate(inputs.counts):
        if count:
            within += count / len(spectrum) * _rate(spectrum.coordinates[inputs.targets == label])
    return whole - within


def _rate(features: Floats) -> float:
    """Coding rate of some samples, by the smaller Gram matrix."""
    samples, width = features.shape
    gram = features @ features.T if samples < width else features.T @ features
    return 0.5 * float(np.linalg.slogdet(np.eye(len(gram)) + gram / (samples * DISTORTION))[1])


TRANSRATE = Score("transrate", transrate, ("classes",), "coding rate of all features less that within classes")
