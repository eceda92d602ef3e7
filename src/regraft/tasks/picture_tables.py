"""Parquet tables with pictures in them, as data sets of the hub have: a column of `{bytes, path}` and one of labels."""

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet

from regraft.core import DataError, ImageSample
from regraft.core.places import default_cache_dir
from regraft.tasks.class_names import ClassNames, label_among, names_in_schema, with_names
from regraft.tasks.reading import Columns, Reading, Record, group_said
from regraft.tasks.tables import read_schema
from regraft.tasks.unpacked import written_once

SUFFIX = ".parquet"
BATCH_ROWS = 64  # pictures of a batch are in memory together
USUAL = ("image", "img", "picture")


def holds_picture_tables(files: Mapping[Path, str]) -> bool:
    """Whether these are Parquet files with a column of pictures."""
    return (
        bool(files)
        and all(file.suffix.lower() == SUFFIX for file in files)
        and bool(_picture_columns(next(iter(files))))
    )


def read_picture_tables(files: Mapping[Path, str], columns: Columns, names: ClassNames) -> Reading:
    """Records of all files; a picture is named `file:row`.

    Compressed columns cannot be read picture by picture: each file's pictures are written into the cache folder once,
    one behind the other, and read from there.

    Args:
        files: Each with its split.
        columns: Which column holds the label, and the group.
        names: Class names by column, where the files themselves do not tell them.
    """
    reading = Reading("image-classification")
    for file, split in files.items():
        try:
            _read(file, split, columns, names, reading)
        except (OSError, pyarrow.ArrowException, UnicodeDecodeError) as error:
            raise DataError(f"{file}: not a readable Parquet file ({error}); copy it again") from error
    if not reading.records:
        raise DataError(f"{', '.join(map(str, files))}: no row with a picture and a label")
    return reading


def _read(file: Path, split: str, columns: Columns, names: ClassNames, reading: Reading) -> None:
    table = pyarrow.parquet.ParquetFile(file)
    known = {**names, **names_in_schema(table.schema_arrow)}
    pictures = _picture_columns(file)
    picture = next((name for name in USUAL if name in pictures), pictures[0])
    label = label_among(table.schema_arrow.names, columns, known)
    for option, name in (("--label-column", label), ("--group-column", columns.group)):
        if name and name not in table.schema_arrow.names:
            present = ", ".join(table.schema_arrow.names)
            raise DataError(f"{file}: no column {name!r}; it has {present}: choose with {option}")
    wanted = list(dict.fromkeys([picture, label, *([columns.group] if columns.group else [])]))
    path, offset = _pack(file, picture), 0
    with written_once(path) as write:
        rows = ((f"{file}:{number}", row) for number, row in enumerate(_rows(table, wanted), start=1))
        for place, row in with_names(rows, known):
            data = (row[picture] or {}).get("bytes") or b""
            if write is not None:
                write(data)
            sample = ImageSample(place, str(path), "", offset, len(data))
            offset += len(data)
            said, group = row[label], row.get(columns.group)
            record = Record(sample, "" if said is None else str(said).strip(), split, group=group_said(group))
            _add(reading, record)


def _add(reading: Reading, record: Record) -> None:
    if not isinstance(record.sample, ImageSample) or not record.sample.size:
        message = "rows without the bytes of a picture; left out"
        reading.findings.add("error", "empty-picture", message, record.sample.source)
    elif not record.label:
        reading.findings.add("error", "missing-label", "rows without a label; left out", record.sample.source)
    else:
        reading.records.append(record)


def _picture_columns(file: Path) -> list[str]:
    """Columns of `{bytes, path}`."""
    return [
        field.name
        for field in read_schema(file)
        if pyarrow.types.is_struct(field.type) and "bytes" in {inner.name for inner in field.type.fields}
    ]


def _rows(table: "pyarrow.parquet.ParquetFile", columns: list[str]) -> Iterator[dict[str, Any]]:
    for batch in table.iter_batches(BATCH_ROWS, columns=columns):
        yield from batch.to_pylist()


def _pack(file: Path, column: str) -> Path:
    """Where the pictures of a column stand one behind the other: found by the file's content."""
    with file.open("rb") as data:
        content = hashlib.file_digest(data, "sha256")
    content.update(column.encode())
    return default_cache_dir() / "pictures" / f"{content.hexdigest()}.pack"
