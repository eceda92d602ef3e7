"""Leave-one-out nearest neighbours (Renggli 2022, "Which Model to Transfer?"; Sorkhei 2025, "k-NN as a simple and effective estimator of transferability")."""

import numpy as np

from regraft.scores.contract import Score, ScoreInputs

NEIGHBOURS = 5
MOST_SAMPLES = 3000  # time grows with their square
ROWS = 1000  # of the similarity matrix that are held at once


def knn(inputs: ScoreInputs) -> float:
    """Share of samples whose class most of their five nearest neighbours have, by cosine; ties go to the nearer.

    No neighbour is of the sample's own group; NaN where all samples are of one.
    """
    if inputs.groups is not None and len(np.unique(inputs.groups)) < 2:
        return float("nan")
    hits = knn_hits(inputs)
    return float(hits.mean())


def knn_hits(inputs: ScoreInputs) -> np.ndarray:
    """(N,) whether each sample's neighbours have its class; of at most 3000 samples, evenly drawn."""
    step = -(-len(inputs.features) // MOST_SAMPLES)
    features, targets = inputs.features[::step], inputs.targets[::step].astype(np.int64)
    groups = np.arange(len(features)) if inputs.groups is None else inputs.groups[::step]
    unit = features / np.maximum(np.linalg.norm(features, axis=1, keepdims=True), 1e-12)
    neighbours = min(NEIGHBOURS, len(unit) - 1)
    hits = np.zeros(len(unit), dtype=bool)
    for begin in range(0, len(unit), ROWS):
        alike = unit[begin : begin + ROWS] @ unit.T
        rows = np.arange(len(alike))
        alike[groups[begin : begin + ROWS, None] == groups] = -np.inf
        nearest = np.argpartition(-alike, neighbours - 1, axis=1)[:, :neighbours]
        order = np.argsort(-np.take_along_axis(alike, nearest, axis=1), axis=1)
        nearest = np.take_along_axis(nearest, order, axis=1)
        others = np.isfinite(np.take_along_axis(alike, nearest, axis=1))
        labels = targets[nearest]
        votes = np.zeros((len(alike), inputs.classes))
        for place in range(neighbours):
            votes[rows, labels[:, place]] += others[:, place] * (1 + (neighbours - place) * 1e-3)
        hits[begin : begin + ROWS] = votes.argmax(axis=1) == targets[begin : begin + ROWS]
    return hits


KNN = Score("knn", knn, ("classes",), "leave-one-out accuracy of five nearest neighbours by cosine")
