"""GBC (Pandy, Agostinelli, Uijlings, Ferrari and Mensink 2022, "Transferability Estimation using Bhattacharyya Class Separability")."""

import numpy as np

from regraft.scores.contract import Score, ScoreInputs

DIRECTIONS = 64  # section 4.1 of the paper
FEWEST = 2  # samples of a class that has a variance
VARIANCE_FLOOR = 1e-4  # of a direction's mean variance: few samples can agree by chance


def gbc(inputs: ScoreInputs) -> float:
    """Minus the summed overlap of classes, each a Gaussian with diagonal covariance (equations 1 and 2)."""
    reduced = inputs.centred.leading(DIRECTIONS)
    usable = [label for label, count in enumerate(inputs.counts) if count >= FEWEST]
    groups = [reduced[inputs.targets == label] for label in usable]
    if len(groups) < 2:
        return float("nan")
    means = np.stack([group.mean(axis=0) for group in groups])
    spreads = np.stack([group.var(axis=0) for group in groups])
    spreads = np.maximum(spreads, VARIANCE_FLOOR * spreads.mean(axis=0) + 1e-12)
    overlap = 0.0
    for first in range(len(groups)):
        shared = (spreads[first] + spreads) / 2
        apart = np.square(means[first] - means) / (8 * shared)
        unlike = 0.5 * np.log(shared / np.sqrt(spreads[first] * spreads))
        distances = (apart + unlike).sum(axis=1)
        overlap += float(np.exp(-distances).sum()) - 1.0  # a class overlaps itself entirely
    return -overlap


GBC = Score("gbc", gbc, ("classes",), "minus the overlap of classes seen as Gaussians")
