"""What scikit-learn's users give as X and y: texts, pictures as files or in memory, quantities."""

import hashlib
import io
import math
import os
from collections.abc import Iterator, Mapping, Set
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from regraft.core import ImageSample, TextSample

PICTURE_FORMS = "give paths, PIL pictures, or uint8 arrays (H, W), (H, W, 3) or (H, W, 4)"
# Pillow's modes that a PNG cannot hold, and the one that shows the same.
SHOWN_AS = {"CMYK": "RGB", "YCbCr": "RGB", "LAB": "RGB", "HSV": "RGB", "PA": "RGBA", "La": "LA", "RGBa": "RGBA"}
NO_QUANTITIES = (str, bytes, complex, np.datetime64, np.timedelta64)  # float() reads some of them
AS_TIFF = ("F", "I")  # numbers beyond what a PNG holds


def texts_of(given: Any, reader: str) -> list[TextSample]:
    """Texts, or pairs of them.

    Args:
        given: (N,), (N, 1) or (N, 2) strings: a list, an array, a column or two of a data frame.
        reader: Who reads them, for messages.

    Raises:
        ValueError: It is something else; the message names the first wrong sample.
    """
    if isinstance(given, str):
        raise ValueError("X is one string; give a sequence of texts, such as [text]")
    rows = np.asarray(given, dtype=object)
    if rows.ndim == 0:  # None, a number, a set, a sparse matrix
        raise ValueError(f"X is {_kind_said(given)}; {reader} reads texts: give a sequence of strings")
    rows = rows[:, None] if rows.ndim == 1 else rows
    if rows.ndim != 2 or rows.shape[1] not in {1, 2}:
        raise ValueError(f"X has the shape {rows.shape}; give texts as (N,) or (N, 1), or pairs as (N, 2)")
    if not len(rows):
        raise ValueError(f"X is empty: 0 samples; {reader} reads texts")
    for row, cells in enumerate(rows):
        if not all(isinstance(cell, str) for cell in cells):
            raise ValueError(f"sample {row} is {_shown(cells)}; {reader} reads texts")
    return [
        TextSample(f"X[{row}]", str(first), str(second[0]) if second else None)
        for row, (first, *second) in enumerate(rows.tolist())
    ]


def pictures_of(given: Any, folder: Path, reader: str) -> list[ImageSample]:
    """Pictures; those in memory are written to `folder`, without loss.

    Args:
        given: N paths, PIL pictures or uint8 arrays, mixed as you like: a list, an array, a column of a data frame.
        folder: Kept for as long as the samples are read.
        reader: Who reads them, for messages.

    Raises:
        ValueError: It is something else; the message names the first wrong sample.
    """
    samples: list[ImageSample] = []
    for row, one in enumerate(_each_picture(given, reader)):
        is_path = isinstance(one, str | os.PathLike)
        content = _file_bytes(row, Path(one)) if is_path else _picture_bytes(row, one)
        digest = hashlib.sha256(content).hexdigest()
        path = Path(one) if is_path else folder / digest
        if not is_path and not path.exists():
            path.write_bytes(content)
        samples.append(ImageSample(f"X[{row}] ({path})" if is_path else f"X[{row}]", str(path), digest))
    if not samples:
        raise ValueError(f"X is empty: 0 samples; {reader} reads pictures")
    return samples


def quantities_of(given: NDArray[Any], reader: str) -> NDArray[np.float64]:
    """Numbers; what is missing is NaN.

    Args:
        given: (N,) of any type.
        reader: Who reads them, for messages.

    Raises:
        ValueError: One is no number; the message names it.
    """
    if given.dtype.kind in "biuf":
        return given.astype(np.float64)
    ones = given if given.dtype.kind in "mM" else given.tolist()  # which gives times as counts
    return np.array([_quantity(row, one, reader) for row, one in enumerate(ones)], dtype=np.float64)


def _quantity(row: int, one: Any, reader: str) -> float:
    """One number; texts that could be read as one are refused: they are labels as often."""
    if one is None:
        return math.nan
    try:
        if isinstance(one, NO_QUANTITIES):
            raise TypeError
        return float(one)
    except (TypeError, ValueError) as error:
        raise ValueError(f"y[{row}] is {_shown([one])}; {reader} learns quantities: give numbers") from error


def _each_picture(given: Any, reader: str) -> Iterator[Any]:
    """What stands for each picture."""
    if isinstance(given, str | os.PathLike):
        raise ValueError("X is one path; give a sequence of pictures, such as [path]")
    if isinstance(given, Image.Image) or _is_one_picture(given):
        raise ValueError("X is one picture; give a sequence of pictures, such as [picture]")
    if hasattr(given, "to_numpy"):  # a data frame gives the names of its columns when it is gone through
        given = given.to_numpy()
    if isinstance(given, Mapping | Set) or not hasattr(given, "__getitem__"):
        raise ValueError(f"X is {_kind_said(given)}; {reader} reads pictures: give a sequence of them")
    if isinstance(given, np.ndarray) and given.ndim == 2 and given.shape[1] == 1 and given.dtype.kind in "OU":
        given = given[:, 0]
    return iter(given)


def _is_one_picture(given: Any) -> bool:
    """Whether an array is (H, W, colours) and not (N, H, W): nobody has pictures of 1, 3 or 4 pixels across."""
    return isinstance(given, np.ndarray) and given.ndim == 3 and given.shape[2] in {1, 3, 4}


def _file_bytes(row: int, path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ValueError(f"sample {row}, {path}: {error.strerror}; give files of pictures") from error


def _picture_bytes(row: int, given: Any) -> bytes:
    """A picture in memory as a file's bytes, without loss."""
    picture = given if isinstance(given, Image.Image) else _picture_of(row, given)
    if not all(picture.size):
        raise ValueError(f"sample {row} is a picture of {picture.width} x {picture.height} pixels; leave it out")
    picture = ImageOps.exif_transpose(picture)
    if picture.mode in SHOWN_AS:
        picture = picture.convert(SHOWN_AS[picture.mode])
    file = io.BytesIO()
    picture.save(file, "tiff" if picture.mode in AS_TIFF else "png")
    return file.getvalue()


def _picture_of(row: int, given: Any) -> Image.Image:
    if given is None or isinstance(given, int | float | bytes):
        raise ValueError(f"sample {row} is {_kind_said(given)}; {PICTURE_FORMS}")
    values = np.asarray(given)
    values = values[..., 0] if values.ndim == 3 and values.shape[2] == 1 else values
    colours = values.ndim == 2 or (values.ndim == 3 and values.shape[2] in {3, 4})
    if values.dtype != np.uint8 or not colours:
        raise ValueError(f"sample {row} is {values.dtype} of shape {values.shape}; {PICTURE_FORMS}")
    if not values.size:
        raise ValueError(f"sample {row} is a picture of {values.shape[1]} x {values.shape[0]} pixels; leave it out")
    return Image.fromarray(values)


def _kind_said(given: Any) -> str:
    """What something is, in words."""
    if given is None:
        return "None"
    name = type(given).__name__
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


def _shown(cells: Any) -> str:
    """A row of a table as a message shows it, cut short."""
    shown = repr(cells[0] if len(cells) == 1 else cells.tolist())
    return shown if len(shown) <= 60 else f"{shown[:59]}…"
