"""Folders of pictures: one folder per class, or a `metadata.csv` beside the pictures."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path

from regraft.core import DataError, ImageSample
from regraft.core.unicode import valid_text
from regraft.tasks.reading import SPLIT_NAMES, Columns, Reading, Record, group_said, is_there, refuse_columns
from regraft.tasks.tables import decoded

PICTURE_SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm", ".jfif"}
METADATA = "metadata.csv"


def holds_pictures(folder: Path) -> bool:
    """Whether `folder` looks like an image-classification folder."""
    return (folder / METADATA).is_file() or _any_picture(folder)


def is_picture(file: Path) -> bool:
    """Whether the name is that of a picture."""
    return file.suffix.lower() in PICTURE_SUFFIXES and not file.name.startswith(".")


def read_image_folder(folder: Path, columns: Columns = Columns()) -> Reading:  # noqa: B008 - it never changes
    """Records of `class/*.jpg`, with `train/ val/ test/` above the classes where there are such."""
    reading = Reading("image-classification")
    split_folders = _split_folders(folder, reading)
    if not any((part / METADATA).is_file() for part in split_folders or (folder,)):
        refuse_columns(folder, columns, "pictures in class folders", ("label",))
    if not split_folders:
        _read_part(folder, "", columns, reading)
    for part, split in split_folders.items():
        _read_part(part, split, columns, reading)
    if not reading.records:
        raise DataError(f"{folder}: no pictures in class folders; expected {folder}/CLASS/*.jpg")
    return reading


def _split_folders(folder: Path, reading: Reading) -> dict[Path, str]:
    """The folders of splits, which hold folders of classes or a `metadata.csv`; what stands beside them is noted.

    A folder that merely has a split's name is a class, as `train` is one of CIFAR-100's.
    """
    entries = [entry for entry in sorted(folder.iterdir()) if not entry.name.startswith(".")]
    folders = [entry for entry in entries if entry.is_dir()]
    named = {entry: SPLIT_NAMES[entry.name.lower()] for entry in folders if entry.name.lower() in SPLIT_NAMES}
    splits = {entry: split for entry, split in named.items() if _holds_classes(entry)}
    if not splits:  # where there is nothing else, they are splits without classes and no classes
        return named if len(named) == len(folders) else {}
    for entry in entries:
        if entry not in splits and (is_picture(entry) or entry.name == METADATA or _any_picture(entry)):
            message = (
                f"beside the folders of splits ({', '.join(one.name for one in splits)}); ignored, move it into one"
            )
            reading.findings.add("warning", "beside-splits", message, str(entry))
    return splits


def _holds_classes(folder: Path) -> bool:
    """Whether there are folders or a `metadata.csv` in it."""
    return (folder / METADATA).is_file() or any(
        entry.is_dir() and not entry.name.startswith(".") for entry in folder.iterdir()
    )


def _any_picture(folder: Path) -> bool:
    return any(is_picture(file) for file in folder.rglob("*"))


def _read_part(folder: Path, split: str, columns: Columns, reading: Reading) -> None:
    """The records of one split's folder."""
    if (folder / METADATA).is_file():
        _read_metadata(folder, split, columns, reading)
        return
    for entry in sorted(folder.iterdir()):
        if entry.is_dir() and not entry.name.startswith("."):
            label = valid_text(entry.name)
            if label != entry.name:
                message = "names of class folders that are not UTF-8; read as Windows-1252, rename them"
                reading.findings.add("warning", "foreign-name", message, str(entry))
            records = [Record(_unread(file), label, split) for file in _pictures(entry, reading)]
            reading.records += records
            if not records:
                reading.findings.add("warning", "empty-class", "class folders without a picture; ignored", str(entry))
        elif is_picture(entry):
            reading.findings.add(
                "warning", "unlabelled-picture", "pictures outside any class folder; move them into one", str(entry)
            )


def _pictures(folder: Path, reading: Reading) -> Iterator[Path]:
    """Pictures below a class folder; other files are noted."""
    for file in sorted(folder.rglob("*")):
        if is_picture(file):
            yield file
        elif file.is_file() and not file.name.startswith("."):
            reading.findings.add("note", "not-a-picture", "files that no picture's name ends like; ignored", str(file))


def _read_metadata(folder: Path, split: str, columns: Columns, reading: Reading) -> None:
    """Records named by a `metadata.csv` with the column `file_name`, and those of label and group."""
    table = folder / METADATA
    rows = csv.DictReader(io.StringIO(decoded(table, reading.findings), newline=""))
    missing = ({"file_name", columns.label, columns.group} - {""}) - set(rows.fieldnames or ())
    if missing:
        raise DataError(f"{table}: no column {' or '.join(sorted(missing))}; it has {', '.join(rows.fieldnames or ())}")
    for row in rows:
        name, label, place = row["file_name"] or "", row[columns.label] or "", f"{table}:{rows.line_num}"
        file = folder / name.replace("\0", "")
        if not file.resolve().is_relative_to(folder.resolve()):
            reading.findings.add("error", "outside-folder", "file names that leave the folder; left out", place)
        elif not is_there(file) or not file.is_file():
            reading.findings.add("error", "missing-file", "rows that name a file which is not there; left out", place)
        elif not label:
            reading.findings.add("error", "missing-label", "rows without a label; left out", place)
        else:
            group = group_said(row.get(columns.group))
            reading.records.append(Record(_unread(file), label, split, group=group))


def _unread(file: Path) -> ImageSample:
    """A sample whose digest is not known yet: `examine_pictures` fills it in."""
    return ImageSample(source=str(file), path=str(file), digest="")
