"""Figures of a feature hierarchy: SVG text and PNG bytes."""

import io
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from regraft.hierarchy.filters import Filters
from regraft.hierarchy.found import StageFinding
from regraft.hierarchy.patches import Channel
from regraft.reporting import COLOURS, new_figure, short, svg_of

GAP = 3  # pixels between pictures of a grid
FILTER_CELL = 44
PATCH_CELL = 72  # two strips of six stand side by side
MOST_IN_CELLS = 14  # stages up to which a matrix is written in numbers
PAPER = 255


def stage_accuracies(stages: Sequence[StageFinding], raw: float, together: float, chance: float, said: str) -> str:
    """The probe of each stage with its interval, against the raw input, all stages and chance."""
    figure, axes = new_figure((6.8, 4.0))
    places = np.arange(len(stages))
    values = np.array([one.probe_accuracy for one in stages])
    errors = np.clip([[one.probe_accuracy - one.low, one.high - one.probe_accuracy] for one in stages], 0, None).T
    axes.errorbar(places, values, yerr=errors, fmt="o-", capsize=4, color=COLOURS[0], label="held out (80 % interval)")
    axes.plot(places, [one.train_accuracy for one in stages], "o:", color=COLOURS[0], alpha=0.45, label="learnt from")
    lines = ((together, COLOURS[2], "-.", "all stages"), (raw, COLOURS[1], "--", "raw input"), (chance, "gray", ":", "largest class"))  # fmt: skip
    for value, colour, line, name in lines:
        if np.isfinite(value):
            axes.axhline(value, color=colour, linestyle=line, linewidth=1.2, label=name)
    axes.set_xticks(places, [short(one.name) for one in stages], rotation=45, ha="right")
    axes.set_xlabel("stage, input side first")
    axes.set_ylabel(f"probe {said}")
    axes.legend(fontsize=8, ncols=2)
    return svg_of(figure)


def cka_figure(names: Sequence[str], matrix: NDArray[np.float64]) -> str:
    """How alike every two stages are."""
    size = min(max(3.2, 0.36 * len(names) + 1.4), 8)
    figure, axes = new_figure((size + 0.8, size))
    shown = axes.imshow(matrix, cmap="viridis", vmin=0, vmax=1)
    axes.grid(visible=False)
    axes.set_xticks(range(len(names)), [short(name) for name in names], rotation=45, ha="right", fontsize=8)
    axes.set_yticks(range(len(names)), [short(name) for name in names], fontsize=8)
    if len(names) <= MOST_IN_CELLS:
        for row, column in np.ndindex(*matrix.shape):
            colour = "black" if matrix[row, column] > 0.6 else "white"
            text = f"{max(matrix[row, column], 0):.2f}".removeprefix("0") if row != column else "1"
            axes.text(column, row, text, ha="center", va="center", fontsize=6.5, color=colour)
    figure.colorbar(shown, ax=axes, label="linear CKA", shrink=0.8)
    return svg_of(figure)


def filters_png(filters: Filters) -> bytes:
    """All filters of the first layer in a grid, each enlarged without smoothing."""
    cells = [_enlarged(one, FILTER_CELL, Image.Resampling.NEAREST) for one in filters.pictures]
    return _grid(cells, max(1, min(len(cells), 16)))


def patches_png(channel: Channel) -> bytes:
    """The patches of one channel in a row, the strongest first."""
    cells = [_enlarged(patch.pixels, PATCH_CELL, Image.Resampling.BICUBIC) for patch in channel.patches]
    return _grid(cells, len(cells))


def _enlarged(pixels: NDArray[np.uint8], side: int, how: Image.Resampling) -> NDArray[np.uint8]:
    return np.asarray(Image.fromarray(pixels).resize((side, side), how))


def _grid(cells: Sequence[NDArray[np.uint8]], columns: int) -> bytes:
    """Square pictures of one size side by side, as PNG."""
    side = cells[0].shape[0] + GAP
    rows = -(-len(cells) // columns)
    whole = np.full((rows * side - GAP, columns * side - GAP, 3), PAPER, dtype=np.uint8)
    for number, cell in enumerate(cells):
        top, left = number // columns * side, number % columns * side
        whole[top : top + cell.shape[0], left : left + cell.shape[1]] = cell
    file = io.BytesIO()
    Image.fromarray(whole).save(file, format="PNG", optimize=True)
    return file.getvalue()
