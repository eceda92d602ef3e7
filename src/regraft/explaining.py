"""What in an input an answer rests on: each part is covered in turn, and the fall of the class's share is its weight.

Occlusion (Zeiler and Fergus 2014, "Visualizing and Understanding Convolutional Networks", section 4.2) for pictures;
the same with words left out for texts (Li 2016, "Understanding Neural Networks through Representation Erasure"). It
asks nothing of the network but answers, so that it serves every trunk and head alike, and its numbers mean something:
points of the share that the part is worth.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from regraft.backbones.contract import features
from regraft.core import ImageSample, ModelError, OptionError, Sample, TextSample
from regraft.model import Model

EXPLAINED = ("image-classification", "text-classification")

CELLS = 8  # places of the covering square along a side
SQUARE = 2  # its edge, in cells
BATCH = 16
MOST_PIECES = 60  # of a text; words of longer ones are covered in runs
WORD = re.compile(r"\S+")

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Piece:
    """A run of words.

    Attributes:
        text: As it stands in the input.
        start: First character.
        end: The character after the last.
        weight: By how much the class's share falls without it, -1 to 1.
    """

    text: str
    start: int
    end: int
    weight: float


@dataclass(frozen=True)
class Explanation:
    """What a class's share of an input rests on.

    Attributes:
        label: The class.
        share: Its share with nothing covered, 0-1.
        pieces: Of a text, in reading order; empty for a picture.
        pair_pieces: Of the second text of a pair.
        grid: (R, R) of a picture: by how much the share falls with a place covered; empty for a text.
        view: (H, W, 3) uint8, the picture as the network saw it, which the grid lies over; None for a text.
    """

    label: str
    share: float
    pieces: tuple[Piece, ...] = ()
    pair_pieces: tuple[Piece, ...] = ()
    grid: tuple[tuple[float, ...], ...] = ()
    view: Pixels | None = None


def explain(model: Model, sample: Sample, label: str | None = None) -> Explanation:
    """What the share of a class rests on.

    Args:
        model: Of a task of classes.
        sample: A picture or a text.
        label: The class; None = the one that is predicted.

    Raises:
        ModelError: The task has no class shares.
        OptionError: There is no such class.
    """
    if model.kind not in EXPLAINED:
        raise ModelError(f"{model.task_name}: {model.kind} has no class shares to explain")
    if label is not None and label not in model.classes:
        raise OptionError(f"class {label!r}: the model knows {', '.join(model.classes)}")
    if isinstance(sample, ImageSample):
        return _of_picture(model, sample, label)
    return _of_text(model, sample, label)


def _of_text(model: Model, sample: TextSample, label: str | None) -> Explanation:
    pair = sample.text_pair or ""
    first, second = _spans(sample.text), _spans(pair)
    covered = [replace(sample, text=_without(sample.text, *span), words=()) for span in first]
    covered += [replace(sample, text_pair=_without(pair, *span)) for span in second]
    shares = model.probabilities([sample, *covered])
    column = _column(model, shares[0], label)
    falls = shares[0, column] - shares[1:, column]
    return Explanation(
        model.classes[column],
        float(shares[0, column]),
        _pieces(sample.text, first, falls[: len(first)]),
        _pieces(pair, second, falls[len(first) :]),
    )


def _column(model: Model, shares: "NDArray[np.float64]", label: str | None) -> int:
    return int(shares.argmax()) if label is None else model.classes.index(label)


def _spans(text: str) -> list[tuple[int, int]]:
    """Where the words stand; of a long text, runs of words."""
    words = [match.span() for match in WORD.finditer(text)]
    run = max(-(-len(words) // MOST_PIECES), 1)
    return [(words[begin][0], words[min(begin + run, len(words)) - 1][1]) for begin in range(0, len(words), run)]


def _without(text: str, start: int, end: int) -> str:
    return f"{text[:start].rstrip()} {text[end:].lstrip()}".strip()


def _pieces(text: str, spans: list[tuple[int, int]], falls: Any) -> tuple[Piece, ...]:
    return tuple(
        Piece(text[start:end], start, end, float(fall)) for (start, end), fall in zip(spans, falls, strict=True)
    )


def _of_picture(model: Model, sample: ImageSample, label: str | None) -> Explanation:
    trunk = model.backbone
    trunk.module.cpu()
    view = trunk.preprocess(sample)  # (3, H, W) uint8
    shares_of = _network(model)
    whole = shares_of([view])[0]
    column = _column(model, whole, label)
    places = [(row, place) for row in range(CELLS - SQUARE + 1) for place in range(CELLS - SQUARE + 1)]
    colour = torch.tensor([round(255 * one) for one in trunk.passport.mean] or [127] * 3, dtype=torch.uint8)
    shares = np.concatenate(
        [
            shares_of([_covered(view, *place, colour) for place in places[begin : begin + BATCH]])
            for begin in range(0, len(places), BATCH)
        ]
    )
    falls = whole[column] - shares[:, column]
    return Explanation(
        model.classes[column],
        float(whole[column]),
        grid=_grid(places, falls),
        view=view.permute(1, 2, 0).contiguous().numpy(),
    )


def _network(model: Model) -> Callable[[list[Tensor]], "NDArray[np.float64]"]:
    """From views (3, H, W) uint8 to shares (B, C)."""
    trunk, head = model.backbone, model.head.cpu().eval()
    taps = list(head.taps) or [len(trunk.outline) - 1]

    def shares(views: list[Tensor]) -> "NDArray[np.float64]":
        with torch.inference_mode():
            pooled = features(trunk, trunk.collate(views))
            outputs = head(torch.cat([pooled[tap] for tap in taps], dim=1).float())
            found: NDArray[np.float64] = outputs.double().softmax(dim=1).numpy()
        return found

    return shares


def _covered(view: Tensor, row: int, place: int, colour: Tensor) -> Tensor:
    """The view with a square in the colour that normalisation makes 0."""
    height, width = view.shape[1:]
    covered = view.clone()
    top, bottom = height * row // CELLS, height * (row + SQUARE) // CELLS
    left, right = width * place // CELLS, width * (place + SQUARE) // CELLS
    covered[:, top:bottom, left:right] = colour[:, None, None]
    return covered


def _grid(places: list[tuple[int, int]], falls: Any) -> tuple[tuple[float, ...], ...]:
    """The mean fall over the squares that covered each cell."""
    total, count = np.zeros((CELLS, CELLS)), np.zeros((CELLS, CELLS))
    for (row, place), fall in zip(places, falls, strict=True):
        total[row : row + SQUARE, place : place + SQUARE] += fall
        count[row : row + SQUARE, place : place + SQUARE] += 1
    return tuple(tuple(float(one) for one in row) for row in total / count)
