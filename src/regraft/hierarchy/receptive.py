"""How much of the picture one position of a stage looks at."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from regraft.backbones.contract import Backbone, beside
from regraft.core import Sample
from regraft.hierarchy.maxima import as_maps, layout_of

SHARE = 0.8  # of the gradient that the field must hold
SAMPLES = 4


def receptive_field(backbone: Backbone, samples: Sequence[Sample], stage: int) -> float:
    """The side, in pixels, of the square around its position that a unit's value depends on most.

    The effective field of Luo 2016 ("Understanding the Effective Receptive Field", section 2): the smallest centred
    square with 80 % of the gradient's size, of the unit nearest the middle, over a few pictures. Fields that theory
    allows are far larger, and all of the picture for attention.
    """
    prepared = [backbone.preprocess(sample) for sample in samples[:SAMPLES]]
    with torch.enable_grad():
        (pixels,) = beside(backbone, backbone.collate(prepared))
        pixels = pixels.clone().requires_grad_()
        maps = as_maps(backbone.run((pixels,), 0, stage + 1)[0], layout_of(backbone))
        if maps is None:
            return float(min(pixels.shape[2:]))
        row, column = maps.shape[2] // 2, maps.shape[3] // 2
        (gradient,) = torch.autograd.grad(maps[:, :, row, column].abs().sum(), pixels)
    weights = gradient.abs().sum(dim=(0, 1)).double().cpu().numpy()
    middle = ((row + 0.5) * pixels.shape[2] / maps.shape[2], (column + 0.5) * pixels.shape[3] / maps.shape[3])
    return _side(weights, middle)


def _side(weights: NDArray[np.float64], middle: tuple[float, float]) -> float:
    """The side of the smallest square around the middle that holds `SHARE` of the weights."""
    rows, columns = np.indices(weights.shape) + 0.5
    reach = np.maximum(np.abs(rows - middle[0]), np.abs(columns - middle[1])).ravel()
    order = reach.argsort()
    held = np.cumsum(weights.ravel()[order])
    if held[-1] <= 0:  # nothing comes through: a dead unit
        return float(min(weights.shape))
    return float(min(2 * reach[order][np.searchsorted(held, SHARE * held[-1])], *weights.shape))
