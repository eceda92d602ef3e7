"""What scikit-learn's users give as X."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from regraft.core import ImageSample
from regraft.media.pictures import decode_rgb
from regraft.sklearn.inputs import pictures_of, texts_of


def decoded(given: Any, folder: Path) -> list[Any]:
    return [decode_rgb(sample.read()) for sample in pictures_of(given, folder, "ImageClassifier")]


class Frame:
    """A data frame as far as it is asked: gone through, it gives the names of its columns."""

    def __init__(self, values: list[list[Any]]) -> None:
        self.values = np.array(values, dtype=object)

    def __iter__(self) -> Any:
        return iter(["name"])

    def __getitem__(self, name: str) -> Any:
        return self.values[:, 0]

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        return self.values

    def to_numpy(self) -> Any:
        return self.values


@pytest.mark.parametrize(
    "mode", ["1", "L", "P", "LA", "RGB", "RGBA", "CMYK", "YCbCr", "LAB", "HSV", "I", "I;16", "F", "PA", "RGBa"]
)
def test_a_picture_of_any_mode_is_read(mode: str, tmp_path: Path) -> None:
    (pixels,) = decoded([Image.new(mode, (5, 4))], tmp_path)
    assert pixels.shape == (4, 5, 3)


def test_arrays_keep_their_pixels_and_transparency_is_white(tmp_path: Path) -> None:
    colours = np.random.default_rng(0).integers(0, 255, (3, 4, 5, 3), dtype=np.uint8)
    clear = np.zeros((4, 5, 4), np.uint8)
    *same, white = decoded([*colours, clear], tmp_path)
    np.testing.assert_array_equal(same, colours)
    assert (white == 255).all()
    np.testing.assert_array_equal(decoded(colours, tmp_path), colours)  # one array of N pictures


def test_a_turned_photograph_is_upright_from_file_and_from_memory(tmp_path: Path) -> None:
    picture, exif = Image.fromarray(np.arange(60, dtype=np.uint8).reshape(6, 10)), Image.Exif()
    exif[0x0112] = 6  # a quarter turn
    picture.save(tmp_path / "turned.png", exif=exif)
    (from_file,) = decoded([tmp_path / "turned.png"], tmp_path)
    with Image.open(tmp_path / "turned.png") as opened:
        (from_memory,) = decoded([opened], tmp_path)
    assert from_file.shape == (10, 6, 3)
    np.testing.assert_array_equal(from_file, from_memory)


def test_a_column_of_paths_is_read_as_paths(tmp_path: Path) -> None:
    file = io.BytesIO()
    Image.new("RGB", (3, 3)).save(file, "png")
    (tmp_path / "a.png").write_bytes(file.getvalue())
    path = str(tmp_path / "a.png")
    for given in (Frame([[path], [path]]), np.array([[path], [path]]), np.array([path, path]), (path, Path(path))):
        samples = pictures_of(given, tmp_path, "ImageClassifier")
        assert [type(one) for one in samples] == [ImageSample] * 2
        assert path in samples[0].source  # so that a damaged one is told by its name


def test_a_column_of_texts_is_read_as_texts() -> None:
    assert [one.text for one in texts_of(Frame([["a"], ["b"]]), "TextClassifier")] == ["a", "b"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (None, "X is None"),
        (3, "X is an int"),
        ({"a.png"}, "X is a set"),
        ([], "0 samples"),
        ("a.png", "X is one path"),
        (Image.new("L", (3, 3)), "X is one picture"),
        (np.zeros((8, 8, 3), np.uint8), "X is one picture"),
        ([None], "sample 0 is None"),
        (["nowhere.png"], "sample 0, nowhere.png: No such file"),
        ([Path()], "sample 0, .: Is a directory"),
        ([np.zeros((8, 8))], "sample 0 is float64 of shape"),
        ([np.zeros((3, 8, 8), np.uint8)], "sample 0 is uint8 of shape"),
        ([np.zeros((0, 8, 3), np.uint8)], "8 x 0 pixels"),
        ([Image.new("L", (0, 3))], "0 x 3 pixels"),
    ],
)
def test_what_is_no_picture_is_named(given: Any, said: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=said):
        pictures_of(given, tmp_path, "ImageClassifier")
