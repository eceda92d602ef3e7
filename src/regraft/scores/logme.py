"""LogME (You, Liu, Wang and Long 2021, "LogME: Practical Assessment of Pre-trained Models for Transfer Learning")."""

import numpy as np

from regraft.scores.contract import Floats, Score, ScoreInputs
from regraft.scores.spectrum import SMALLEST, Spectrum

MOST_STEPS = 100
TOLERANCE = 1e-5  # relative change of alpha / beta
TINY = 1e-12


def logme(inputs: ScoreInputs) -> float:
    """Mean over classes of the log evidence per sample of a Bayesian linear regression on the features.

    Prior and noise precision, alpha and beta, are those that maximise the evidence (algorithm 1, in the fixed-point
    form of You 2022, "Ranking and Tuning Pre-trained Models", algorithm 3). A class without a sample is a target of
    zeros, foretold without an error whatever the features: it does not count.
    """
    values, projected = _decomposed(inputs)
    outside = (np.square(inputs.one_hot).sum(axis=0) - projected.sum(axis=0)).clip(0)
    per_class = [
        log_evidence(values, projected[:, one], float(outside[one]), len(inputs.features))
        for one in (np.flatnonzero(inputs.counts) if inputs.classes else [0])
    ]
    return float(np.mean(per_class))


def _decomposed(inputs: ScoreInputs) -> tuple[Floats, Floats]:
    """(R,) eigenvalues of the features' scatter, (R, C) squared projections of the targets on its singular vectors.

    LogME does not centre features. In the axes of the centred ones, which other scores need too, the scatter is a
    diagonal matrix plus the mean's own, so that no second Gram matrix is computed.
    """
    centred = inputs.centred
    if centred.axes is None:
        spectrum = Spectrum.of(inputs.features, centre=False)
        return spectrum.values, (spectrum.left.T @ inputs.one_hot) ** 2
    inside = centred.axes.T @ centred.mean
    beyond = np.linalg.norm(centred.mean - centred.axes @ inside)
    mean = np.append(inside, beyond)
    moments = np.vstack([centred.coordinates.T @ inputs.one_hot, np.zeros((1, inputs.one_hot.shape[1]))])
    moments += np.outer(mean, inputs.one_hot.sum(axis=0))
    scatter = np.diag(np.append(centred.values, 0.0)) + len(centred) * np.outer(mean, mean)
    values, vectors = np.linalg.eigh(scatter)
    kept = values > SMALLEST * values[-1]
    return values[kept], (vectors[:, kept].T @ moments) ** 2 / values[kept][:, None]


def log_evidence(values: Floats, projected: Floats, outside: float, samples: int) -> float:
    """The largest log evidence per sample of one target.

    Args:
        values: (R,) eigenvalues of the features' scatter.
        projected: (R,) squared projections of the target on the left singular vectors.
        outside: Squared length of what the features cannot reach.
        samples: N.
    """
    alpha = beta = 1.0
    for _ in range(MOST_STEPS):
        ratio = alpha / beta
        effective = float((values / (values + ratio)).sum())
        weights = float((values * projected / (values + ratio) ** 2).sum())
        residual = float((projected * (ratio / (values + ratio)) ** 2).sum()) + outside
        alpha, beta = effective / max(weights, TINY), (samples - effective) / max(residual, TINY)
        if abs(alpha / beta - ratio) <= TOLERANCE * ratio:
            break
    ratio = alpha / beta
    weights = float((values * projected / (values + ratio) ** 2).sum())
    residual = float((projected * (ratio / (values + ratio)) ** 2).sum()) + outside
    evidence = samples * np.log(beta / (2 * np.pi)) - np.log1p(values / ratio).sum() - beta * residual - alpha * weights
    return float(evidence) / (2 * samples)


LOGME = Score("logme", logme, ("classes", "quantities"), "log evidence per sample of a linear model of the classes")
