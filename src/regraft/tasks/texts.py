"""Tables of labelled text: CSV, TSV, Parquet, JSON lines."""

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet

from regraft.core import DataError, TextSample
from regraft.tasks.reading import SPLIT_NAMES, Findings, Reading, Record, worst

TABLE_SUFFIXES = (".csv", ".tsv", ".parquet", ".jsonl")
PAIR_COLUMN = "text_pair"
FLOAT_CLASSES = 20  # more distinct fractions than this are a quantity, not classes

csv.field_size_limit(1 << 27)


@dataclass(frozen=True)
class Columns:
    """Which columns hold the text and the label."""

    text: str = "text"
    label: str = "label"


def split_tables(folder: Path) -> dict[Path, str]:
    """The tables named after a split in `folder`, with the split each holds."""
    return {
        file: SPLIT_NAMES[file.stem.lower()]
        for file in sorted(folder.iterdir())
        if file.suffix.lower() in TABLE_SUFFIXES and file.stem.lower() in SPLIT_NAMES
    }


def read_tables(tables: dict[Path, str], columns: Columns) -> Reading:
    """Records of all tables; their rows are named `file:line`."""
    reading = Reading("text-classification")
    for file, split in tables.items():
        seen: dict[str, None] = {}  # a line of JSON may lack a column that others have
        for place, row in _rows(file, reading.findings):
            seen |= dict.fromkeys(row)
            record = _record(place, row, columns, split, reading.findings)
            if record is not None:
                reading.records.append(record)
        _check_columns(file, seen, columns)
    if not reading.records:
        faults = worst(reading.findings.problems()) or f"give rows with {columns.text} and {columns.label}"
        raise DataError(f"{', '.join(map(str, tables))}: no usable rows; {faults}")
    _refuse_quantities(reading, columns)
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
    if label is None or not str(label).strip():
        findings.add("error", "missing-label", "rows without a label; left out", place)
        return None
    words = str(text)
    if "\0" in words or "\0" in str(pair or ""):
        findings.add("note", "nul-characters", "texts with NUL characters; the characters were removed", place)
        words, pair = words.replace("\0", ""), None if pair is None else str(pair).replace("\0", "")
    return Record(TextSample(place, words, None if pair is None else str(pair)), str(label).strip(), split)


def _refuse_quantities(reading: Reading, columns: Columns) -> None:
    """A column of fractions is a quantity: one class per value would be nonsense."""
    labels = {record.label for record in reading.records}
    if len(labels) <= FLOAT_CLASSES or not all("." in label for label in labels):
        return
    try:
        for label in labels:
            float(label)
    except ValueError:
        return
    raise DataError(
        f"column {columns.label!r} holds {len(labels)} different fractions: a quantity, not classes; "
        "give a column of class names with --label-column"
    )


def _rows(file: Path, findings: Findings) -> Iterator[tuple[str, dict[str, Any]]]:
    """(place, row) of a table of any supported form."""
    suffix = file.suffix.lower()
    if suffix == ".parquet":
        yield from _parquet_rows(file)
    elif suffix == ".jsonl":
        yield from _json_rows(file, findings)
    else:
        yield from _csv_rows(file, "\t" if suffix == ".tsv" else ",", findings)


def _parquet_rows(file: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    try:
        table = pyarrow.parquet.ParquetFile(file)
        number = 0
        for batch in table.iter_batches():
            for row in batch.to_pylist():
                number += 1
                yield f"{file}:{number}", row
    except (OSError, pyarrow.ArrowException) as error:
        raise DataError(f"{file}: not a readable Parquet file ({error}); write it again") from error


def _json_rows(file: Path, findings: Findings) -> Iterator[tuple[str, dict[str, Any]]]:
    for number, line in enumerate(_decoded(file, findings).split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except json.JSONDecodeError:
            row = None
        if isinstance(row, dict):
            yield f"{file}:{number}", row
        else:
            findings.add("error", "malformed-row", "lines that are not a JSON object; left out", f"{file}:{number}")


def _csv_rows(file: Path, delimiter: str, findings: Findings) -> Iterator[tuple[str, dict[str, Any]]]:
    # NULs end a CSV field early in some readers: keep them as they are, `_record` removes and reports them.
    reader = csv.reader(io.StringIO(_decoded(file, findings), newline=""), delimiter=delimiter)
    header = next(reader, None)
    if not header:
        raise DataError(f"{file}: the file is empty; expected a header such as text,label")
    names = [name.strip() for name in header]
    while True:
        start = reader.line_num + 1
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise DataError(f"{file}:{start}: not readable as CSV ({error}); check the quotes there") from error
        if not row:
            continue
        if len(row) != len(names):
            message = f"rows with more or fewer than {len(names)} fields; left out (is a quote missing?)"
            findings.add("error", "ragged-row", message, f"{file}:{start}")
            continue
        yield f"{file}:{start}", dict(zip(names, row, strict=True))


def _decoded(file: Path, findings: Findings) -> str:
    """The file's text: UTF-8, UTF-16 by its mark, and single stray lines as Windows-1252."""
    data = file.read_bytes()
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        findings.add("note", "byte-order-mark", "files in UTF-16; read as such", str(file))
        return data.decode("utf-16", errors="replace")
    if data.startswith(b"\xef\xbb\xbf"):
        findings.add("note", "byte-order-mark", "files that begin with a byte-order mark; it was skipped", str(file))
        data = data[3:]
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return "\n".join(
            _decoded_line(line, f"{file}:{number}", findings) for number, line in enumerate(data.split(b"\n"), start=1)
        )


def _decoded_line(line: bytes, place: str, findings: Findings) -> str:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        message = "lines that are not UTF-8; read as Windows-1252, save the file as UTF-8"
        findings.add("warning", "mixed-encodings", message, place)
        return line.decode("cp1252", errors="replace")
