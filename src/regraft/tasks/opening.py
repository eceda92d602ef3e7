"""From a path to a task: find out what it is, read it, check it, split it."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from regraft.core import DataError, Problem, Split, Task
from regraft.tasks import checks
from regraft.tasks.images import holds_pictures, read_image_folder
from regraft.tasks.pictures import examine_pictures
from regraft.tasks.reading import Reading, Record, worst
from regraft.tasks.splits import held_out
from regraft.tasks.texts import TABLE_SUFFIXES, Columns, read_tables, split_tables
from regraft.tasks.twins import groups_of
from regraft.tasks.webdataset import is_shard, read_shards, shards_in

TEST_SHARE = 0.2
VALIDATION_SHARE = 0.2  # of what is left for training


@dataclass(frozen=True)
class Inspection:
    """What data are and what is wrong with them.

    Attributes:
        task: The task, or None where an error leaves nothing to learn.
        kind: The task's kind.
        classes: Class names in order.
        counts: Samples per split and class.
        splits: Samples per split.
        problems: Everything found.
    """

    task: Task | None
    kind: str
    classes: tuple[str, ...]
    counts: dict[str, dict[str, int]]
    splits: dict[str, int]
    problems: tuple[Problem, ...]


def open_task(
    data: str | Path,
    *,
    text_column: str = "text",
    label_column: str = "label",
    seed: int = 0,
    strict: bool = False,
) -> Task:
    """Read labelled data as a task with a train, a validation and, where possible, a test part.

    Args:
        data: A folder of pictures in class folders (or with `metadata.csv`), a text table or a
            folder of `train.* / validation.* / test.*`, a WebDataset tar or a folder of them.
        text_column: Of a table: the column that holds the text.
        label_column: Of a table: the column that holds the label.
        seed: Of the split where the data have none.
        strict: Refuse data with bad samples instead of leaving them out.

    Raises:
        DataError: Nothing usable is there, or `strict` and a sample is bad.

    Example:
        >>> task = open_task("flowers/")  # doctest: +SKIP
    """
    found = inspect_data(data, text_column=text_column, label_column=label_column, seed=seed, strict=strict)
    if found.task is None:
        raise DataError(f"{data}: {worst(found.problems) or 'nothing to learn from'}")
    return found.task


def inspect_data(
    data: str | Path,
    *,
    text_column: str = "text",
    label_column: str = "label",
    seed: int = 0,
    strict: bool = False,
) -> Inspection:
    """What the data are and every problem of theirs; arguments as `open_task`."""
    path = Path(data)
    reading = _read(path, Columns(text_column, label_column))
    hashes = examine_pictures(reading) if reading.kind == "image-classification" else {}
    checks.drop_contradictions(reading)
    groups = groups_of(reading.records, hashes)
    kept = checks.drop_leakage(reading.records, groups, reading.findings)
    records, groups = [reading.records[i] for i in kept], _renumbered([groups[i] for i in kept])
    checks.check_duplicates(records, groups, reading.findings)
    checks.check_labels(records, reading.findings)
    records = _split(records, groups, seed)
    classes = tuple(sorted({record.label for record in records if record.split == "train"}, key=_natural))
    for record in records:
        if record.label not in classes:
            message = "labels that the training part does not have; their samples are left out"
            reading.findings.add("error", "label-only-in-test", message, f"{record.sample.source} ({record.label})")
    records = [record for record in records if record.label in classes]
    problems = reading.findings.problems()
    if strict and any(problem.severity == "error" for problem in problems):
        raise DataError(f"{data}: {worst(problems)}")
    task = _task(path, reading, records, classes, problems)
    return Inspection(
        task=task if len(classes) > 1 else None,
        kind=task.kind,
        classes=classes,
        counts=task.counts(),
        splits={name: len(split) for name, split in task.splits.items()},
        problems=problems,
    )


def _read(path: Path, columns: Columns) -> Reading:
    """The records of whatever `path` is."""
    if not path.exists():
        raise DataError(f"{path}: no such file or folder")
    if path.is_file():
        if is_shard(path):
            return read_shards([path])
        if path.suffix.lower() in TABLE_SUFFIXES:
            return read_tables({path: ""}, columns)
        raise DataError(f"{path}: cannot be read as data; give {', '.join(TABLE_SUFFIXES)}, .tar or a folder")
    if tables := split_tables(path):
        return read_tables(tables, columns)
    if shards := shards_in(path):
        return read_shards(shards)
    if holds_pictures(path):
        return read_image_folder(path)
    raise DataError(f"{path}: neither pictures in class folders, nor train/test tables, nor .tar shards are in it")


def _renumbered(groups: Sequence[int]) -> list[int]:
    """The same groups, each named by the position of its first member."""
    first: dict[int, int] = {}
    return [first.setdefault(group, position) for position, group in enumerate(groups)]


def _split(records: list[Record], groups: list[int], seed: int) -> list[Record]:
    """The records with every split filled in; a split that the data have is kept."""
    present = {record.split for record in records}
    if "" in present:  # no split, or shards of unnamed ones
        records = [replace(record, split=record.split or "train") for record in records]
    if not present & {"test", "validation"}:
        records = _held(records, groups, "test", TEST_SHARE, seed)
    if "validation" not in present:
        records = _held(records, groups, "validation", VALIDATION_SHARE, seed)
    return records


def _held(records: list[Record], groups: list[int], split: str, share: float, seed: int) -> list[Record]:
    """Move a share of the training part to another split."""
    train = [position for position, record in enumerate(records) if record.split == "train"]
    labels, members = [records[i].label for i in train], [groups[i] for i in train]
    moved = {train[i] for i in held_out(labels, members, share, seed)}
    return [replace(record, split=split) if i in moved else record for i, record in enumerate(records)]


def _task(
    path: Path, reading: Reading, records: list[Record], classes: tuple[str, ...], problems: tuple[Problem, ...]
) -> Task:
    index = {name: number for number, name in enumerate(classes)}
    splits, print_ = {}, hashlib.sha256()
    for name in ("train", "validation", "test"):
        part = [record for record in records if record.split == name]
        if part or name != "test":
            splits[name] = Split(tuple(one.sample for one in part), tuple(index[one.label] for one in part))
        for record in part:
            print_.update(f"{name}\0{record.sample.digest}\0{record.label}\n".encode())
    name = path.resolve().name.split(".")[0]
    return Task(name, reading.kind, classes, splits, fingerprint=print_.hexdigest(), problems=problems)


def _natural(name: str) -> tuple[int, int | str, str]:
    """Numbers in their own order, before words."""
    return (0, int(name), name) if name.isdecimal() else (1, name, name)
