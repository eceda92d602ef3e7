"""LEEP (Nguyen, Hassner, Seeger and Archambeau 2020, "LEEP: A New Measure to Evaluate Transferability")."""

import numpy as np

from regraft.scores.contract import Floats, Ints, Score, ScoreInputs

TINY = 1e-12


def leep(inputs: ScoreInputs) -> float:
    """Mean log likelihood of the classes as predicted from the original head's classes alone."""
    if inputs.source is None:
        raise ValueError("LEEP needs the original head's probabilities")
    return float(expected_log_likelihoods(inputs.source, inputs.targets.astype(np.int64), inputs.classes).mean())


def expected_log_likelihoods(source: Floats, targets: Ints, classes: int) -> Floats:
    """(N,) log of the sum over z of P(y | z) P(z | x), with P(y | z) from the same samples (equations 1 and 2).

    Args:
        source: (N, K) P(z | x).
        targets: (N,).
        classes: C.
    """
    joint = np.eye(classes)[targets].T @ source / len(targets)  # (C, K)
    conditional = joint / np.maximum(joint.sum(axis=0, keepdims=True), TINY)
    found: Floats = np.log(np.maximum((source * conditional[targets]).sum(axis=1), TINY))
    return found


LEEP = Score("leep", leep, ("classes", "source-head"), "log likelihood of the classes given the original head's")
