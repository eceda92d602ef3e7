"""Folders laid out as data sets of the hub: Parquet files named after splits, or a card that lists the files."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from regraft.core import DataError
from regraft.tasks.class_names import card_of
from regraft.tasks.reading import SPLIT_NAMES
from regraft.tasks.tables import TABLE_SUFFIXES

DEFAULT = "default"  # what the hub calls the configuration of a data set that names none
DATA_FOLDER = "data"
SPLIT_PREFIX = re.compile(r"([a-z]+)-\d+", re.IGNORECASE)  # train-00000-of-00002.parquet
PARTIAL = "partial-"  # the hub converts only the first part of a very large split


def hub_files(folder: Path, config: str = "") -> dict[Path, str]:
    """The tables of a folder in the hub's layout with the split of each; empty where it is none.

    Args:
        folder: `[CONFIG/]SPLIT/*.parquet`, `[CONFIG/ or data/]SPLIT-00000-of-00001.parquet`, or with a `README.md`
            whose `configs` list the files.
        config: Which configuration; empty = the only one, or `default`.

    Raises:
        DataError: There is no such configuration, or several and none is chosen.
    """
    found = _in_card(folder) or _by_name(folder)
    return found[chosen_config(list(found), config, str(folder))] if found else {}


def chosen_config(names: Sequence[str], config: str, said: str) -> str:
    """The configuration asked for, or the one that needs no choice.

    Raises:
        DataError: There is none of that name, or several.
    """
    known = sorted(set(names))
    wanted = config or (known[0] if len(known) == 1 else DEFAULT)
    if wanted in known:
        return wanted
    if config:
        raise DataError(f"{said}: no configuration {config!r}; it has {', '.join(known)}")
    raise DataError(f"{said}: it has the configurations {', '.join(known)}; choose one: hf://OWNER/NAME:{known[0]}")


def _in_card(folder: Path) -> dict[str, dict[Path, str]]:
    """Files by configuration, as the card lists them."""
    found: dict[str, dict[Path, str]] = {}
    for one in card_of(folder).get("configs") or ():
        if isinstance(one, dict):
            files = _listed(folder, one.get("data_files"))
            if files:
                found[str(one.get("config_name", DEFAULT))] = files
    return found


def _listed(folder: Path, told: Any) -> dict[Path, str]:
    """Files of `data_files`: a pattern, several, or one or more for each split."""
    entries = told if isinstance(told, list) else [told]
    files: dict[Path, str] = {}
    for entry in entries:
        path, split = (entry.get("path"), str(entry.get("split"))) if isinstance(entry, Mapping) else (entry, "")
        for pattern in path if isinstance(path, list) else [path]:
            if isinstance(pattern, str) and not Path(pattern).is_absolute() and ".." not in Path(pattern).parts:
                for file in sorted(folder.glob(pattern)):
                    if file.suffix.lower() in TABLE_SUFFIXES and (not split or split in SPLIT_NAMES):
                        files[file] = SPLIT_NAMES.get(split, "")
    return files


def _by_name(folder: Path) -> dict[str, dict[Path, str]]:
    """Parquet files by configuration, told by the names of files and folders."""
    found: dict[str, dict[Path, str]] = {}
    for depth in ("*.parquet", "*/*.parquet", "*/*/*.parquet"):
        for file in sorted(folder.glob(depth)):
            *folders, name = file.relative_to(folder).parts
            prefix = SPLIT_PREFIX.match(name)
            split = folders.pop() if folders and _known(folders[-1]) else prefix.group(1) if prefix else ""
            if _known(split) and len(folders) < 2:
                config = folders[0] if folders and folders[0] != DATA_FOLDER else DEFAULT
                found.setdefault(config, {})[file] = _known(split)
    return found


def _known(name: str) -> str:
    """The split that a name means; empty for another name."""
    return SPLIT_NAMES.get(name.lower().removeprefix(PARTIAL), "")
