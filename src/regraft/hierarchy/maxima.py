"""Where and how strongly each channel of each stage answers to pictures."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from regraft.activations.engine import fast_matmul
from regraft.backbones.contract import Backbone, beside
from regraft.backbones.vision import VisionBackbone, VisionStages
from regraft.core import BackboneError, Sample

BATCH = 16


@dataclass(frozen=True)
class StageMaxima:
    """One stage's channels over N pictures.

    Attributes:
        strongest: (N, D) float32, each channel's largest activation over positions.
        rows: (N, D) row of the position of the largest, from the top.
        columns: (N, D) its column.
        grid: Rows and columns of the map.
    """

    strongest: NDArray[np.float32]
    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    grid: tuple[int, int]


def stage_maxima(backbone: Backbone, samples: Sequence[Sample]) -> tuple[list[StageMaxima | None], NDArray[np.uint8]]:
    """Maxima of every stage, and the pictures as the trunk reads them, (N, H, W, 3).

    A stage without positions (a dense layer) has none.

    Args:
        backbone: A vision trunk, put in evaluation mode.
        samples: N pictures.

    Raises:
        BackboneError: The backbone reads text.
    """
    layout = layout_of(backbone)
    backbone.module.eval()
    found: list[list[tuple[Tensor, Tensor]]] = [[] for _ in backbone.outline]
    grids: list[tuple[int, int] | None] = [None] * len(backbone.outline)
    pictures = []
    with torch.inference_mode(), fast_matmul():
        for begin in range(0, len(samples), BATCH):
            prepared = [backbone.preprocess(sample) for sample in samples[begin : begin + BATCH]]
            pictures += [one.permute(1, 2, 0).numpy() for one in prepared]
            state = beside(backbone, backbone.collate(prepared))
            for stage in range(len(backbone.outline)):
                state = backbone.run(state, stage, stage + 1)
                maps = as_maps(state[0], layout)
                if maps is not None and maps.shape[2] * maps.shape[3] > 1:
                    best = maps.flatten(2).max(dim=2)
                    found[stage].append((best.values.cpu(), best.indices.cpu()))
                    grids[stage] = (maps.shape[2], maps.shape[3])
    return [_joined(parts, grid) for parts, grid in zip(found, grids, strict=True)], np.stack(pictures)


def _joined(parts: list[tuple[Tensor, Tensor]], grid: tuple[int, int] | None) -> StageMaxima | None:
    if grid is None:
        return None
    strongest, places = (torch.cat(list(part)).numpy() for part in zip(*parts, strict=True))
    return StageMaxima(strongest, places // grid[1], places % grid[1], grid)


def layout_of(backbone: Backbone) -> VisionStages:
    """How a vision trunk's states are laid out.

    Raises:
        BackboneError: The backbone reads text.
    """
    if not isinstance(backbone, VisionBackbone):
        raise BackboneError(f"--backbone {backbone.passport.source}: it reads text, and has no pictures to show")
    return backbone.layout


def as_maps(values: Tensor, layout: VisionStages) -> Tensor | None:
    """A state as (B, D, h, w); tokens must fill a square, None where they do not."""
    if values.ndim == 4:
        return values.permute(0, 3, 1, 2) if layout.channels_last else values
    if values.ndim != 3:
        return None
    patches = values[:, layout.prefix_tokens :]
    side = round(patches.shape[1] ** 0.5)
    if side * side != patches.shape[1]:
        return None
    return patches.transpose(1, 2).reshape(len(patches), -1, side, side)
