"""One head for every stage and a pool of them: their log probabilities summed, each by a weight.

A logarithmic opinion pool (Genest 1986, Combining probability distributions), its weights learnt by stacking (Wolpert
1992, Stacked generalization).
"""

from collections.abc import Sequence

import numpy as np
from scipy.optimize import minimize, minimize_scalar
from scipy.special import log_softmax, softmax

from regraft.running.cross_validation import LEAST, Doubles, Ints

# The weights are drawn to ones that rise with the stage, by as much as ten samples would. Of 1, 3, 10 and 30, and of
# even, rising and squared ones, these lost least on training samples that were left over (benchmarks/pool.py).
PULL = 10.0
MOST_WEIGHT = 3.0
COLDEST, HOTTEST = np.exp(-2.0), np.exp(2.5)  # of the scale of all weights


def pool_weights(held: Sequence[Doubles], labels: Ints, shape: Doubles | None = None, pull: float = PULL) -> Doubles:
    """What each head counts, (S,): the weights with the smallest log loss on samples that the heads have not seen.

    Args:
        held: Of every head, its held-out class probabilities (N, C), the last stage's head last.
        labels: (N,).
        shape: (S,) what the weights are drawn to, up to a scale; None = `resting_weights`.
        pull: How strongly, as so many samples would.
    """
    logs = np.stack([np.log(np.clip(one, LEAST, None)) for one in held])
    resting = resting_weights(len(held)) if shape is None else shape

    def scaled(scale: float) -> float:
        return _loss(resting * scale, logs, labels)[0]

    rest = resting * float(minimize_scalar(scaled, bounds=(COLDEST, HOTTEST), method="bounded").x)

    def pulled(weights: Doubles) -> tuple[float, Doubles]:
        loss, slope = _loss(weights, logs, labels)
        off = weights - rest
        return loss + pull / len(labels) * float(off @ off), slope + 2 * pull / len(labels) * off

    bounds = [(0.0, max(MOST_WEIGHT, float(rest.max())))] * len(held)
    found: Doubles = minimize(pulled, rest, jac=True, bounds=bounds, method="L-BFGS-B").x
    return found


def resting_weights(stages: int) -> Doubles:
    """Weights that rise evenly with the stage and sum to 1: what holds where nothing was held out."""
    rising = np.arange(1, stages + 1, dtype=np.float64)
    found: Doubles = rising / rising.sum()
    return found


def pooled(probabilities: Sequence[Doubles], weights: Doubles) -> Doubles:
    """Class probabilities (N, C) of the pool, from those of each head."""
    logs = [np.log(np.clip(one, LEAST, None)) * weight for one, weight in zip(probabilities, weights, strict=True)]
    found: Doubles = softmax(np.sum(logs, axis=0), axis=1)
    return found


def _loss(weights: Doubles, logs: Doubles, labels: Ints) -> tuple[float, Doubles]:
    """Mean log loss of the pool and its slope (S,); `logs` are (S, N, C)."""
    said = log_softmax(np.tensordot(weights, logs, axes=1), axis=1)
    rows = np.arange(len(labels))
    right = logs[:, rows, labels]
    expected = np.einsum("snc,nc->sn", logs, np.exp(said))
    return -float(said[rows, labels].mean()), (expected - right).mean(axis=1)
