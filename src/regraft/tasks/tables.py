"""Rows of a table: CSV, TSV, Parquet, JSON lines."""

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet

from regraft.core import DataError
from regraft.tasks.class_names import ClassNames, names_in_schema, with_names
from regraft.tasks.reading import Findings, Row

TABLE_SUFFIXES = (".csv", ".tsv", ".parquet", ".jsonl")

csv.field_size_limit(1 << 27)


def rows_of(file: Path, findings: Findings, names: ClassNames | None = None) -> Iterator[Row]:
    """(`file:line`, row) of a table of any supported form; numbers of `names` columns become those names."""
    suffix = file.suffix.lower()
    if suffix == ".parquet":
        names = {**(names or {}), **names_in_schema(read_schema(file))}
        rows = _parquet_rows(file)
    elif suffix == ".jsonl":
        rows = _json_rows(file, findings)
    else:
        rows = _csv_rows(file, "\t" if suffix == ".tsv" else ",", findings)
    return with_names(rows, names) if names else rows


def read_schema(file: Path) -> pyarrow.Schema:
    """The columns of a Parquet file.

    Raises:
        DataError: It cannot be read.
    """
    try:
        return pyarrow.parquet.read_schema(file)
    except (OSError, pyarrow.ArrowException) as error:
        raise DataError(f"{file}: not a readable Parquet file ({error}); write it again") from error


def _parquet_rows(file: Path) -> Iterator[Row]:
    try:
        table = pyarrow.parquet.ParquetFile(file)
        number = 0
        for batch in table.iter_batches():
            for row in batch.to_pylist():
                number += 1
                yield f"{file}:{number}", row
    except (OSError, pyarrow.ArrowException) as error:
        raise DataError(f"{file}: not a readable Parquet file ({error}); write it again") from error


def _json_rows(file: Path, findings: Findings) -> Iterator[Row]:
    for number, line in enumerate(decoded(file, findings).split("\n"), start=1):
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


def _csv_rows(file: Path, delimiter: str, findings: Findings) -> Iterator[Row]:
    # NULs end a CSV field early in some readers: keep them as they are, `_record` removes and reports them.
    reader = csv.reader(io.StringIO(decoded(file, findings), newline=""), delimiter=delimiter)
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


def decoded(file: Path, findings: Findings) -> str:
    """A file's text: UTF-8, UTF-16 by its mark, and single stray lines as Windows-1252."""
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
