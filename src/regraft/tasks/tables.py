"""Rows of a table: CSV, TSV, Parquet, JSON lines."""

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet

from regraft.core import DataError
from regraft.core.unicode import valid_text
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
    except (OSError, pyarrow.ArrowException, UnicodeDecodeError) as error:
        raise DataError(f"{file}: not a readable Parquet file ({error}); write it again") from error


def _json_rows(file: Path, findings: Findings) -> Iterator[Row]:
    for number, line in enumerate(decoded(file, findings).split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = from_json(line, f"{file}:{number}", findings)
        except ValueError:
            row = None
        if isinstance(row, dict):
            yield f"{file}:{number}", row
        else:
            findings.add("error", "malformed-row", "lines that are not a JSON object; left out", f"{file}:{number}")


def from_json(text: str, place: str, findings: Findings) -> Any:
    """What a JSON text says, in valid Unicode; halves of characters are noted.

    Raises:
        ValueError: It is no JSON, or nothing that Python can hold.
    """
    try:
        found = json.loads(text)
        valid = _valid(found) if "\\u" in text else found
        if valid != found:
            message = "texts with half of a character (such as \\ud83d alone); it was replaced"
            findings.add("warning", "broken-character", message, place)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    return valid


def _valid(value: Any) -> Any:
    """The same with every text in valid Unicode."""
    if isinstance(value, dict):
        return {valid_text(key): _valid(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_valid(one) for one in value]
    return valid_text(value) if isinstance(value, str) else value


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
    return decoded_bytes(file.read_bytes(), str(file), findings)


def decoded_bytes(data: bytes, name: str, findings: Findings) -> str:
    """The text of a file or a stream of that name, as `decoded` reads it."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        findings.add("note", "byte-order-mark", "files in UTF-16; read as such", name)
        return data.decode("utf-16", errors="replace")
    if data.startswith(b"\xef\xbb\xbf"):
        findings.add("note", "byte-order-mark", "files that begin with a byte-order mark; it was skipped", name)
        data = data[3:]
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return "\n".join(
            _decoded_line(line, f"{name}:{number}", findings) for number, line in enumerate(data.split(b"\n"), start=1)
        )


def _decoded_line(line: bytes, place: str, findings: Findings) -> str:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        message = "lines that are not UTF-8; read as Windows-1252, save the file as UTF-8"
        findings.add("warning", "mixed-encodings", message, place)
        return line.decode("cp1252", errors="replace")
