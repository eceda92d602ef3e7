"""The picture tasks of `regraft demo`: real pictures that scikit-learn and matplotlib carry."""

from importlib.resources import files
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

DIGITS = {"train": 50, "validation": 10, "test": 40}  # pictures of each of ten classes: few, as in many real tasks
TILE = 64  # pixels
LEARNT, CHOSEN = 0.4, 0.5  # of a photograph's width: tiles to learn from, and up to where to choose by

# Photographs: name, the package that carries it, its place there.
PHOTOGRAPHS = (
    ("temple", "sklearn.datasets", "images/china.jpg"),
    ("flower", "sklearn.datasets", "images/flower.jpg"),
    ("portrait", "matplotlib", "mpl-data/sample_data/grace_hopper.jpg"),
)


def digits_folder(folder: Path) -> Path:
    """Handwritten digits as pictures of 8 x 8 pixels, 50 of each to learn from (Alpaydin 1998, optical recognition)."""
    from sklearn.datasets import load_digits  # noqa: PLC0415 - a second that the text half need not wait for

    digits = load_digits()
    pixels = (digits.images * (255 / 16)).round().astype(np.uint8)
    for label in range(10):
        rows = np.flatnonzero(digits.target == label)
        begin = 0
        for split, count in DIGITS.items():
            for row in rows[begin : begin + count]:
                _save(folder / split / str(label) / f"{row}.png", pixels[row])
            begin += count
    return folder


def photographs_folder(folder: Path) -> Path:
    """Tiles of three photographs: which one is a tile from? Learnt on the left of each, tested on its right."""
    for name, package, place in PHOTOGRAPHS:
        photograph = np.asarray(Image.open(str(files(package) / place)).convert("RGB"))
        height, width = photograph.shape[:2]
        for left in range(0, width - TILE + 1, TILE):
            split = "train" if left < LEARNT * width else "validation" if left < CHOSEN * width else "test"
            for top in range(0, height - TILE + 1, TILE):
                tile = photograph[top : top + TILE, left : left + TILE]
                _save(folder / split / name / f"{top}-{left}.png", tile)
    return folder


def _save(file: Path, pixels: NDArray[np.uint8]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(file)
