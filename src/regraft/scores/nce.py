"""NCE (Tran, Nguyen and Hassner 2019, "Transferability and Hardness of Supervised Classification Tasks")."""

import numpy as np

from regraft.scores.contract import Score, ScoreInputs


def nce(inputs: ScoreInputs) -> float:
    """Minus the conditional entropy H(Y | Z), Z the class that the original head finds most probable (definition 2)."""
    if inputs.source is None:
        raise ValueError("NCE needs the original head's probabilities")
    found, kinds = np.unique(inputs.source.argmax(axis=1), return_inverse=True)
    joint = np.zeros((len(found), inputs.classes))
    np.add.at(joint, (kinds, inputs.targets.astype(np.int64)), 1 / len(kinds))
    conditional = joint / joint.sum(axis=1, keepdims=True)
    filled = joint > 0
    return float((joint[filled] * np.log(conditional[filled])).sum())


NCE = Score("nce", nce, ("classes", "source-head"), "minus the entropy of the classes given the original head's answer")
