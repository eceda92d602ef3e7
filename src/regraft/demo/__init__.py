"""The data of `regraft demo`: short customer messages, written for it, and pictures that dependencies carry."""

from importlib.resources import files
from pathlib import Path

from regraft.demo.pictures import digits_folder, photographs_folder

__all__ = ["digits_folder", "intents_folder", "photographs_folder"]


def intents_folder() -> Path:
    """The folder with `train.csv` and `test.csv`."""
    return Path(str(files("regraft.demo") / "intents"))
