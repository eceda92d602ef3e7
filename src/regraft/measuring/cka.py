"""Linear CKA: how alike two stages see the same samples (Kornblith, Norouzi, Lee and Hinton 2019)."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from regraft.activations.rows import Floats

Doubles = NDArray[np.float64]

MOST_SAMPLES = 1000  # time grows with their square; the estimate is unbiased at any number


def cka_matrix(stages: Sequence[Floats]) -> Doubles:
    """(S, S) debiased linear CKA of every pair of stages; 1 = the same up to rotation and scale, 0 = unrelated.

    The plain estimate tends to 1 where N < D whatever the features; this one is unbiased in its terms (Song 2012,
    equation 5, as Nguyen 2021 uses it) and may fall a little below 0.

    Args:
        stages: (N, D) each, N at least 4; at most 1000 rows are used, evenly drawn.
    """
    step = -(-len(stages[0]) // MOST_SAMPLES)
    grams = [_centred_gram(features[::step].astype(np.float64)) for features in stages]
    products = np.array([[float((one * other).sum()) for other in grams] for one in grams])
    sizes = np.sqrt(np.maximum(np.diag(products), 1e-300))
    found: Doubles = products / np.outer(sizes, sizes)
    return found


def _centred_gram(features: Doubles) -> Doubles:
    """U-centred Gram matrix (Szekely and Rizzo 2014, section 3): inner products of two give unbiased HSIC."""
    features = features - features.mean(axis=0)
    gram: Doubles = features @ features.T
    np.fill_diagonal(gram, 0.0)
    count = len(gram)
    rows = gram.sum(axis=1)
    gram = gram - rows[:, None] / (count - 2) - rows[None] / (count - 2) + rows.sum() / ((count - 1) * (count - 2))
    np.fill_diagonal(gram, 0.0)
    return gram
