"""Tables of labelled texts, or of pairs of texts: classes, or a quantity."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from math import isfinite
from pathlib import Path
from typing import Any

from regraft.core import DataError, TextSample
from regraft.tasks.reading import Findings, Reading, Record
from regraft.tasks.tables import Row

PAIR_COLUMN = "text_pair"
FLOAT_CLASSES = 20  # more distinct fractions than this are a quantity, not classes


@dataclass(frozen=True)
class Columns:
    """Which columns hold the text and the label."""

    text: str = "text"
    label: str = "label"


def read_texts(tables: Iterable[tuple[Path, str, Iterable[Row]]], columns: Columns, findings: Findings) -> Reading:
    """Records of all tables; their rows are named `file:line`.

    Args:
        tables: (file, split, rows) of each.
        columns: Which columns to read.
        findings: Where problems are noted.
    """
    reading = Reading("text-classification", findings=findings)
    for file, split, rows in tables:
        seen: dict[str, None] = {}  # a line of JSON may lack a column that others have
        for place, row in rows:
            seen |= dict.fromkeys(row)
            record = _record(place, row, columns, split, findings)
            if record is not None:
                reading.records.append(record)
        _check_columns(file, seen, columns)
    if _are_quantities({record.label for record in reading.records}):
        reading.kind = "text-regression"
        reading.records = [replace(record, target=float(record.label), label="") for record in reading.records]
    return reading


def _check_columns(file: Path, seen: dict[str, None], columns: Columns) -> None:
    for option, name in (("--text-column", columns.text), ("--label-column", columns.label)):
        if seen and name not in seen:
            raise DataError(f"{file}: no column {name!r}; it has {', '.join(seen)}: choose with {option}")


def _record(place: str, row: dict[str, Any], columns: Columns, split: str, findings: Findings) -> Record | None:
    """One row as a record, or None where it is unusable."""
    text, label, pair = row.get(columns.text), row.get(columns.label), row.get(PAIR_COLUMN)
    if text is None or not str(text).replace("\0", "").strip():
        findings.add("error", "empty-text", "rows without text; left out", place)
        return None
    if PAIR_COLUMN in row and not str(pair or "").replace("\0", "").strip():
        findings.add("error", "empty-text", f"rows with an empty {PAIR_COLUMN}; left out", place)
        return None
    if label is None or not str(label).strip():
        findings.add("error", "missing-label", "rows without a label; left out", place)
        return None
    words = str(text)
    if "\0" in words or "\0" in str(pair or ""):
        findings.add("note", "nul-characters", "texts with NUL characters; the characters were removed", place)
        words, pair = words.replace("\0", ""), None if pair is None else str(pair).replace("\0", "")
    return Record(TextSample(place, words, None if pair is None else str(pair)), str(label).strip(), split)


def _are_quantities(labels: set[str]) -> bool:
    """Whether labels are fractions, too many for classes: one class per value would be nonsense."""
    if len(labels) <= FLOAT_CLASSES or not any("." in label for label in labels):
        return False
    try:
        return all(isfinite(float(label)) for label in labels)
    except ValueError:
        return False
