"""The filters of a vision trunk's first layer, as pictures."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import nn

from regraft.backbones.contract import Backbone, stage_modules

COLOURS = 3


@dataclass(frozen=True)
class Filters:
    """What the first layer looks for.

    Attributes:
        layer: Its name in the network.
        pictures: (K, h, w, 3) uint8; grey = weight 0, each filter's largest weight at full contrast.
        dead: How many have no weight but 0.
    """

    layer: str
    pictures: NDArray[np.uint8]
    dead: int = 0


def first_filters(backbone: Backbone) -> Filters | None:
    """The first convolution that reads colours, filter by filter; None where no layer does (texts).

    Zeiler and Fergus 2014, "Visualizing and Understanding Convolutional Networks", figure 2, layer 1.
    """
    inside = {module for stage in stage_modules(backbone, 0) for module in stage.modules()}
    for name, module in backbone.module.named_modules():
        if isinstance(module, nn.Conv2d) and module.in_channels == COLOURS and module in inside:
            weights = module.weight.detach().float().cpu().numpy().transpose(0, 2, 3, 1)
            largest = np.abs(weights).max(axis=(1, 2, 3), keepdims=True)
            shown = 0.5 + 0.5 * weights / np.maximum(largest, 1e-12)
            return Filters(name, (255 * shown).round().astype(np.uint8), int((largest == 0).sum()))
    return None
