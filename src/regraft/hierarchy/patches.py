"""The patches of the user's own pictures that channels of a stage answer to most strongly."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from regraft.backbones.contract import Backbone
from regraft.core import Sample
from regraft.hierarchy.maxima import StageMaxima, stage_maxima
from regraft.hierarchy.receptive import receptive_field

Ints = NDArray[np.int64]

CHANNELS = 4
PATCHES = 6
SMALLEST_SIDE = 12  # pixels: less shows nothing
RULE = (
    "The channels whose strongest activation differs most between classes (F: variance between classes by variance "
    "within), each for another class as long as there are classes left. Their patches show where the channel is "
    f"strongest, one from each picture, cut to what that position looks at (at least {SMALLEST_SIDE} pixels)."
)


@dataclass(frozen=True)
class Patch:
    """A piece of one picture.

    Attributes:
        sample: The picture's position among those looked at.
        activation: The channel's value there.
        box: Left, top, right and bottom in pixels of the picture as the trunk reads it.
        pixels: (h, w, 3) uint8.
    """

    sample: int
    activation: float
    box: tuple[int, int, int, int]
    pixels: NDArray[np.uint8]


@dataclass(frozen=True)
class Channel:
    """One channel of a stage with its strongest patches, the strongest first.

    Attributes:
        number: Which channel.
        ratio: Variance of its strongest activation between classes over that within them.
        label: The class whose pictures it answers to most.
        patches: At most six.
    """

    number: int
    ratio: float
    label: int
    patches: tuple[Patch, ...]


@dataclass(frozen=True)
class StagePatches:
    """What a stage's channels look for.

    Attributes:
        stage: Which stage.
        field: Side in pixels of what one position looks at.
        side: Height and width of the picture as the trunk reads it.
        channels: The chosen ones.
    """

    stage: int
    field: float
    side: tuple[int, int]
    channels: tuple[Channel, ...]


def strongest_patches(
    backbone: Backbone,
    samples: Sequence[Sample],
    targets: Sequence[int],
    *,
    stages: Sequence[int] | None = None,
    channels: Sequence[int] | int = CHANNELS,
    patches: int = PATCHES,
) -> tuple[StagePatches, ...]:
    """Patches for some channels of each stage, from one pass over the pictures (Zeiler and Fergus 2014, figure 2).

    Args:
        backbone: A vision trunk, put in evaluation mode.
        samples: N pictures; a hundred show enough.
        targets: (N,) class numbers: channels are chosen by how they tell classes apart.
        stages: Which stages; None = all. One without positions is left out.
        channels: How many to choose, or which.
        patches: How many of each.

    Raises:
        BackboneError: The backbone reads text.
    """
    maxima, pictures = stage_maxima(backbone, samples)
    labels = np.asarray(targets, dtype=np.int64)
    found = []
    for stage in range(len(maxima)) if stages is None else stages:
        one = maxima[stage]
        if one is None:
            continue
        ratios = f_ratios(one.strongest, labels)
        chosen = chosen_channels(one.strongest, labels, ratios, channels) if isinstance(channels, int) else channels
        field = receptive_field(backbone, samples, stage)
        shown = tuple(
            Channel(
                int(number),
                float(ratios[number]),
                favourite(one.strongest, labels, int(number)),
                tuple(_patches(one, int(number), pictures, field, patches)),
            )
            for number in chosen
        )
        found.append(StagePatches(stage, field, (pictures.shape[1], pictures.shape[2]), shown))
    return tuple(found)


def f_ratios(strongest: NDArray[np.float32], labels: Ints) -> NDArray[np.float64]:
    """(D,) one-way F ratio of each channel: variance between classes over variance within (Fisher 1925)."""
    values = strongest.astype(np.float64)
    classes, rows = np.unique(labels, return_inverse=True)
    counts = np.bincount(rows)
    centres = np.stack([values[rows == one].mean(axis=0) for one in range(len(classes))])
    between = counts @ np.square(centres - values.mean(axis=0)) / max(len(classes) - 1, 1)
    within = np.square(values - centres[rows]).sum(axis=0) / max(len(values) - len(classes), 1)
    # A channel that is silent but for rounding has no say.
    alive = values.std(axis=0) > 1e-6 * max(float(np.abs(values).max()), 1e-12)
    found: NDArray[np.float64] = np.where(alive, between / np.maximum(within, 1e-12), 0.0)
    return found


def chosen_channels(strongest: NDArray[np.float32], labels: Ints, ratios: NDArray[np.float64], count: int) -> list[int]:
    """The channels of the largest ratios, no two for one class while there are classes left."""
    order = ratios.argsort()[::-1].tolist()
    taken: dict[int, int] = {}
    for number in order:
        taken.setdefault(favourite(strongest, labels, number), number)
        if len(taken) == count:
            break
    chosen = list(taken.values())
    chosen += [number for number in order if number not in chosen][: count - len(chosen)]
    return chosen


def favourite(strongest: NDArray[np.float32], labels: Ints, number: int) -> int:
    """The class on whose pictures a channel is strongest, on average."""
    return int(max(np.unique(labels), key=lambda label: float(strongest[labels == label, number].mean())))


def _patches(maxima: StageMaxima, number: int, pictures: NDArray[np.uint8], field: float, count: int) -> "list[Patch]":
    order = maxima.strongest[:, number].argsort()[::-1][:count]
    height, width = pictures.shape[1:3]
    side = int(min(max(field, SMALLEST_SIDE, height / maxima.grid[0]), height, width))
    found = []
    for sample in order.tolist():
        middle = (maxima.rows[sample, number] + 0.5) * height / maxima.grid[0]
        across = (maxima.columns[sample, number] + 0.5) * width / maxima.grid[1]
        # Kept inside the picture, so that all patches have one size.
        top = int(np.clip(round(middle - side / 2), 0, height - side))
        left = int(np.clip(round(across - side / 2), 0, width - side))
        pixels = pictures[sample, top : top + side, left : left + side]
        activation = float(maxima.strongest[sample, number])
        found.append(Patch(sample, activation, (left, top, left + side, top + side), pixels))
    return found
