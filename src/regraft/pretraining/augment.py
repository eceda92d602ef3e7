"""Random views of a whole batch at once: crop, flip and colour in a handful of tensor operations."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from regraft.pretraining.recipes import Views

ASPECT = 4 / 3  # of a crop, at most, either way
GREY = torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)  # ITU-R BT.601


@dataclass(frozen=True)
class Chance:
    """The random numbers of a batch: drawn for all processes alike, so that each sample's view is the same on any."""

    crop: Tensor  # (B, 4): area, aspect, horizontal and vertical place, each 0-1
    flip: Tensor  # (B,): bool
    colour: Tensor  # (B, 3): brightness, contrast and saturation, each -1 to 1

    def part(self, mine: slice) -> "Chance":
        """Those of a part of the batch."""
        return Chance(self.crop[mine], self.flip[mine], self.colour[mine])

    def on(self, device: torch.device) -> "Chance":
        """The same on a device."""
        return Chance(self.crop.to(device), self.flip.to(device), self.colour.to(device))


def draw(count: int, generator: torch.Generator) -> Chance:
    """Numbers for `count` samples."""
    numbers = torch.rand(count, 8, generator=generator)
    return Chance(numbers[:, :4], numbers[:, 4] < 0.5, 2 * numbers[:, 5:] - 1)


def views(pictures: Tensor, chance: Chance, side: int, settings: Views) -> Tensor:
    """One random view of each picture: RandomResizedCrop as in Szegedy 2015 with bilinear sampling, flip, colour.

    Args:
        pictures: uint8 (B, 3, H, H).
        chance: What happens to each.
        side: Height and width of the views, in pixels.
        settings: How far crops and colours go.

    Returns:
        float32 (B, 3, side, side), 0-255, channels last.
    """
    chance = chance.on(pictures.device)
    area = settings.smallest_area + (1 - settings.smallest_area) * chance.crop[:, 0]
    aspect = torch.exp((2 * chance.crop[:, 1] - 1) * math.log(ASPECT))
    wide, high = ((area * aspect).sqrt().clamp(max=1.0), (area / aspect).sqrt().clamp(max=1.0))
    middle_x, middle_y = (1 - wide) * (2 * chance.crop[:, 2] - 1), (1 - high) * (2 * chance.crop[:, 3] - 1)
    mirrored = torch.where(chance.flip, -wide, wide)
    zero = torch.zeros_like(wide)
    theta = torch.stack([mirrored, zero, middle_x, zero, high, middle_y], dim=1).view(-1, 2, 3)
    grid = F.affine_grid(theta, [len(pictures), 3, side, side], align_corners=False)
    cut = F.grid_sample(pictures.float(), grid, mode="bilinear", padding_mode="reflection", align_corners=False)
    return _recoloured(cut, 1 + settings.jitter * chance.colour).contiguous(memory_format=torch.channels_last)


def _recoloured(values: Tensor, factors: Tensor) -> Tensor:
    """Brightness, then contrast, then saturation changed by (B, 3) factors."""
    bright, contrast, colour = factors.view(-1, 3, 1, 1, 1).unbind(dim=1)
    values = values * bright
    grey = (values * GREY.to(values.device)).sum(dim=1, keepdim=True)
    mean = grey.mean(dim=(2, 3), keepdim=True)
    values = values.sub(mean).mul_(contrast).add_(mean)
    grey = (grey - mean) * contrast + mean
    return values.sub_(grey).mul_(colour).add_(grey).clamp_(0, 255)
