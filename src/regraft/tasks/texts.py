"""Tables of labelled texts, or of pairs of texts: classes, or a quantity."""

from collections.abc import Iterable
from dataclasses import replace
from math import isfinite
from pathlib import Path
from typing import Any

from regraft.core import DataError, TextSample
from regraft.tasks.reading import Columns, Findings, Reading, Record, Row, group_said
from regraft.tasks.tokens import TAG_COLUMNS, WORDS_COLUMN

FLOAT_CLASSES = 20  # more distinct whole numbers than this, written as 3.0, are a quantity, not classes
MOSTLY = 0.8  # share of labels that must be numbers for the rest to be mistakes


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
    _leave_out_single(reading, columns.pair)
    if _wants_quantities(reading, columns):
        reading.kind = "text-regression"
        reading.records = [one for record in reading.records if (one := _with_quantity(record, findings)) is not None]
    return reading


def _leave_out_single(reading: Reading, pair: str) -> None:
    """Keep pairs alone where some rows are pairs: no model takes both."""
    single = [one for one in reading.records if isinstance(one.sample, TextSample) and one.sample.text_pair is None]
    if 0 < len(single) < len(reading.records):
        message = f"rows without the {pair} that others have; left out"
        reading.findings.add("error", "missing-pair", message, *(one.sample.source for one in single))
        left = {one.sample.source for one in single}
        reading.records = [one for one in reading.records if one.sample.source not in left]


def _check_columns(file: Path, seen: dict[str, None], columns: Columns) -> None:
    wanted = {"--text-column": columns.text, "--label-column": columns.label, "--group-column": columns.group}
    if columns.pair != Columns().pair:
        wanted["--pair-column"] = columns.pair
    for option, name in wanted.items():
        if name and seen and name not in seen:
            cure = f"choose with {option}"
            if WORDS_COLUMN in seen:
                cure += (
                    f", or for tagged words give {TAG_COLUMNS[0]!r}, a list with a tag for each of the {WORDS_COLUMN}"
                )
            raise DataError(f"{file}: no column {name!r}; it has {', '.join(seen)}: {cure}")


def _record(place: str, row: dict[str, Any], columns: Columns, split: str, findings: Findings) -> Record | None:
    """One row as a record, or None where it is unusable."""
    text, label, pair = row.get(columns.text), row.get(columns.label), row.get(columns.pair)
    if text is None or not str(text).replace("\0", "").strip():
        findings.add("error", "empty-text", "rows without text; left out", place)
        return None
    if columns.pair in row and not str(pair or "").replace("\0", "").strip():
        findings.add("error", "empty-text", f"rows with an empty {columns.pair}; left out", place)
        return None
    if label is None or not str(label).strip():
        findings.add("error", "missing-label", "rows without a label; left out", place)
        return None
    words = str(text)
    if "\0" in words or "\0" in str(pair or ""):
        findings.add("note", "nul-characters", "texts with NUL characters; the characters were removed", place)
        words, pair = words.replace("\0", ""), None if pair is None else str(pair).replace("\0", "")
    sample = TextSample(place, words, None if pair is None else str(pair))
    return Record(sample, str(label).strip(), split, group=group_said(row.get(columns.group)))


def _wants_quantities(reading: Reading, columns: Columns) -> bool:
    """Whether labels are to be read as quantities: as was said, or as they look, which is noted."""
    if columns.kind is not None:
        return columns.kind == "text-regression"
    if not _are_quantities([record.label for record in reading.records]):
        return False
    message = "labels are numbers with fractions: a regression; --kind text-classification makes classes of them"
    reading.findings.add("note", "quantities", message)
    return True


def _are_quantities(labels: list[str]) -> bool:
    """Whether labels are numbers, of which any has a fraction or which are too many for classes.

    A few that are no numbers are faults of a quantity's column, and do not make classes of it. Whole numbers are
    classes, also where a missing label made a library write them as 0.0 and 1.0.
    """
    values = {label: value for label in set(labels) if (value := _quantity(label)) is not None}
    if sum(label in values for label in labels) < MOSTLY * len(labels):
        return False
    written = len(values) > FLOAT_CLASSES and any("." in label for label in values)
    return written or any(not value.is_integer() for value in values.values())


def _with_quantity(record: Record, findings: Findings) -> Record | None:
    """A record of a quantity; None, and named, where its label is no number."""
    value = _quantity(record.label)
    if value is None:
        message = "rows whose label is no number, where others are quantities; left out"
        findings.add("error", "not-a-quantity", message, f"{record.sample.source} ({record.label[:40]!r})")
        return None
    return replace(record, target=value, label="")


def _quantity(label: str) -> float | None:
    """The finite number that a label is."""
    try:
        value = float(label)
    except ValueError:
        return None
    return value if isfinite(value) else None
