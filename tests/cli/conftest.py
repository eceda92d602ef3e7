"""Commands run in this process, small data written on the spot, and one fitted model."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from regraft.cli.main import run
from regraft.demo import intents_folder

INTENTS = str(intents_folder())
PROBE = ("--strategy", "feature-extraction")  # `auto` would measure first: a minute or two
SMALL = "scratch:test_resnet"


def called(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    """The JSON object that a command prints, which must be all that stands on stdout."""
    code = run([*arguments, "--json"])
    captured = capsys.readouterr()
    assert code == 0, captured.err
    return json.loads(captured.out)


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What a command says that refuses its input: one line, and nothing on stdout."""
    code = run(list(arguments))
    captured = capsys.readouterr()
    assert code == 2, captured.err
    assert captured.out == ""
    (message,) = captured.err.splitlines()
    assert message.startswith("regraft: ")
    return message


def shown(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What a command shows a person."""
    assert run(list(arguments)) == 0
    return capsys.readouterr().out


def write_table(file: Path, rows: list[tuple[str, str]], header: str = "text,label") -> str:
    file.write_text("\n".join([header, *(f"{text},{label}" for text, label in rows)]) + "\n")
    return str(file)


def write_pictures(folder: Path, count: int = 40) -> str:
    """Noise in two shades, dark and bright, that a small network learns from random weights."""
    rng = np.random.default_rng(0)
    for number in range(count):
        place = folder / ("bright", "dark")[number % 2]
        place.mkdir(parents=True, exist_ok=True)
        values = rng.integers(0, 255, (8, 8, 3), dtype=np.uint8) // (1 + number % 2)
        Image.fromarray(values).resize((64, 64)).save(place / f"{number:03}.png")
    return str(folder)


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A text model, not to be changed."""
    folder = tmp_path_factory.mktemp("models")
    arguments = ["fit", INTENTS, "--out", str(folder / "intents"), "--cache-dir", str(folder / "cache"), "--quiet"]
    assert run([*arguments, *PROBE]) == 0
    return folder / "intents"


@pytest.fixture(scope="session")
def picture_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A picture model, not to be changed."""
    folder = tmp_path_factory.mktemp("models")
    data, out, cache = write_pictures(folder / "data"), str(folder / "shades"), str(folder / "cache")
    assert run(["fit", data, "--out", out, "--backbone", SMALL, "--cache-dir", cache, "--quiet", *PROBE]) == 0
    return folder / "shades"
