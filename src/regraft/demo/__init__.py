"""The data of `regraft demo`: short customer messages, written for it."""

from importlib.resources import files
from pathlib import Path


def intents_folder() -> Path:
    """The folder with `train.csv` and `test.csv`."""
    return Path(str(files("regraft.demo") / "intents"))
