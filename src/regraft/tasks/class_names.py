"""Names of classes that a table holds as numbers, as data sets of the hub do."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow
import yaml

from regraft.tasks.reading import Columns, Row

ClassNames = Mapping[str, tuple[str, ...]]

CARD = "README.md"
MOST_CARD = 1 << 20  # characters that are read of it
FRONT_MATTER = re.compile(r"\A---\s*\n(.*?)\n---\s*(\n|\Z)", re.DOTALL)


def card_of(folder: Path) -> dict[str, Any]:
    """The YAML at the head of a folder's `README.md`; empty where there is none that can be read."""
    try:
        with (folder / CARD).open(encoding="utf-8") as file:
            found = FRONT_MATTER.match(file.read(MOST_CARD))
        data = yaml.safe_load(found.group(1)) if found else None
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return {}
    return data if isinstance(data, dict) else {}


def names_in_card(card: Mapping[str, Any], config: str) -> ClassNames:
    """Class names by column, from the `dataset_info` of a card.

    Args:
        card: As `card_of` read it.
        config: The data set's configuration; empty = the only one.
    """
    told = card.get("dataset_info")
    infos = [one for one in (told if isinstance(told, list) else [told]) if isinstance(one, dict)]
    chosen = [one for one in infos if not config or one.get("config_name", config) == config][:1]
    features = [one for info in chosen for one in info.get("features") or () if isinstance(one, dict)]
    found = {str(one.get("name")): _in_card(one) for one in features}
    return {column: names for column, names in found.items() if names}


def names_in_schema(schema: pyarrow.Schema) -> ClassNames:
    """Class names by column, from what the `datasets` library writes into a Parquet file's schema."""
    try:
        features = json.loads((schema.metadata or {}).get(b"huggingface", b"{}"))["info"]["features"]
        found = {column: _in_feature(feature) for column, feature in features.items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}
    return {column: names for column, names in found.items() if names}


def label_among(present: Sequence[str], columns: Columns, names: ClassNames) -> str:
    """The column of labels: the one asked for, else the only one with class names, else the one asked for."""
    named = [column for column in present if column in names]
    missing = columns.label == Columns().label and columns.label not in present
    return named[0] if missing and len(named) == 1 else columns.label


def with_names(rows: Iterable[Row], names: ClassNames) -> Iterator[Row]:
    """The rows with names for numbers; a number without a name, such as -1, is no label."""
    for place, row in rows:
        yield (
            place,
            {column: _named(value, names[column]) if column in names else value for column, value in row.items()},
        )


def _named(value: Any, names: tuple[str, ...]) -> Any:
    if isinstance(value, list):
        return [_named(one, names) for one in value]
    if isinstance(value, str) and value.removeprefix("-").isdecimal() and value not in names:
        value = int(value)
    if not isinstance(value, int):
        return value
    return names[value] if 0 <= value < len(names) else None


def _in_card(feature: Mapping[str, Any]) -> tuple[str, ...]:
    """Names of `dtype: {class_label: {names: …}}`, also within `sequence` or `list`."""
    for key in ("dtype", "sequence", "list"):
        told = feature.get(key)
        if isinstance(told, dict) and isinstance(told.get("class_label"), dict):
            return _listed(told["class_label"].get("names"))
    return ()


def _in_feature(feature: Any) -> tuple[str, ...]:
    """Names of a `ClassLabel`, also within a sequence."""
    if isinstance(feature, list):
        return _in_feature(feature[0]) if feature else ()
    if not isinstance(feature, dict):
        return ()
    return (
        _listed(feature.get("names")) if feature.get("_type") == "ClassLabel" else _in_feature(feature.get("feature"))
    )


def _listed(names: Any) -> tuple[str, ...]:
    """Names in order, from a list or from a mapping of numbers."""
    if isinstance(names, dict):
        if not all(str(key).isdecimal() for key in names):
            return ()
        names = [names[key] for key in sorted(names, key=int)]
    # A card may nest its aliases so that writing them out would never end: a name is a word or a number.
    if not isinstance(names, list) or not all(isinstance(one, str | int | float) for one in names):
        return ()
    return tuple(map(str, names))
