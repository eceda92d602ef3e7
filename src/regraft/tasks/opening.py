"""From a path to a task: find out what it is, read it, check it, split it."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from regraft.core import DataError, Problem, Split, Task
from regraft.tasks import checks
from regraft.tasks.images import holds_pictures, read_image_folder
from regraft.tasks.labels import Labelling, labelling_of
from regraft.tasks.pictures import examine_pictures
from regraft.tasks.reading import Reading, Record, worst
from regraft.tasks.splits import held_out
from regraft.tasks.text_files import TEXT_SUFFIXES, read_text_files, split_files
from regraft.tasks.texts import Columns
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
        data: A folder of pictures in class folders (or with `metadata.csv`), a WebDataset tar or a folder of
            them, a file of texts (a table of texts or pairs with labels or quantities, tagged words, questions
            on passages) or a folder of such as `train.* / validation.* / test.*`.
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
    if str(data).startswith("hf://"):
        name = str(data).removeprefix("hf://")
        raise DataError(
            f"{data}: data sets of the hub are not read from there; download it "
            f"(hf download --repo-type dataset {name.partition(':')[0]} --local-dir DIR) and give the folder"
        )
    path = Path(data)
    reading = _read(path, Columns(text_column, label_column))
    labelling = labelling_of(reading.kind)
    hashes = examine_pictures(reading) if reading.kind == "image-classification" else {}
    checks.drop_contradictions(reading)
    groups = groups_of(reading.records, hashes)
    kept = checks.drop_leakage(reading.records, groups, reading.findings)
    records, groups = [reading.records[i] for i in kept], _renumbered([groups[i] for i in kept])
    checks.check_duplicates(records, groups, reading.findings)
    if reading.kind.endswith("-classification") and reading.kind != "token-classification":
        checks.check_labels(records, reading.findings)
    records = _split(records, labelling.strata(records), labelling.kept_together(records, groups), seed)
    classes = labelling.classes([record for record in records if record.split == "train"])
    records = _known(records, classes, labelling, reading)
    problems = reading.findings.problems()
    if strict and any(problem.severity == "error" for problem in problems):
        raise DataError(f"{data}: {worst(problems)}")
    task = _task(path, reading, records, classes, labelling, problems)
    return Inspection(
        task=task if len(task.train) and len(classes) >= labelling.fewest_classes else None,
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
        if path.suffix.lower() in TEXT_SUFFIXES:
            return read_text_files({path: ""}, columns)
        raise DataError(f"{path}: cannot be read as data; give {', '.join(TEXT_SUFFIXES)}, .tar or a folder")
    if files := split_files(path):
        return read_text_files(files, columns)
    if shards := shards_in(path):
        return read_shards(shards)
    if holds_pictures(path):
        return read_image_folder(path)
    raise DataError(f"{path}: neither pictures in class folders, nor train/test tables, nor .tar shards are in it")


def _renumbered(groups: Sequence[int]) -> list[int]:
    """The same groups, each named by the position of its first member."""
    first: dict[int, int] = {}
    return [first.setdefault(group, position) for position, group in enumerate(groups)]


def _known(records: list[Record], classes: tuple[str, ...], labelling: Labelling, reading: Reading) -> list[Record]:
    """The records whose classes the training part has."""
    known, kept = set(classes), []
    for record in records:
        strange = sorted(set(labelling.labels(record)) - known)
        if strange:
            message = "labels that the training part does not have; their samples are left out"
            reading.findings.add("error", "label-only-in-test", message, f"{record.sample.source} ({strange[0]})")
        else:
            kept.append(record)
    return kept


def _split(records: list[Record], strata: list[str], groups: list[int], seed: int) -> list[Record]:
    """The records with every split filled in; a split that the data have is kept."""
    present = {record.split for record in records}
    if "train" not in present:  # held-out shards alone, say: they are all there is to learn from
        records, present = [replace(record, split="") for record in records], {""}
    if "" in present:  # no split, or shards of unnamed ones
        records = [replace(record, split=record.split or "train") for record in records]
    if not present & {"test", "validation"}:
        records = _held(records, strata, groups, "test", TEST_SHARE, seed)
    if "validation" not in present:
        records = _held(records, strata, groups, "validation", VALIDATION_SHARE, seed)
    return records


def _held(
    records: list[Record], strata: list[str], groups: list[int], split: str, share: float, seed: int
) -> list[Record]:
    """Move a share of the training part to another split."""
    train = [position for position, record in enumerate(records) if record.split == "train"]
    moved = {train[i] for i in held_out([strata[i] for i in train], [groups[i] for i in train], share, seed)}
    return [replace(record, split=split) if i in moved else record for i, record in enumerate(records)]


def _task(
    path: Path,
    reading: Reading,
    records: list[Record],
    classes: tuple[str, ...],
    labelling: Labelling,
    problems: tuple[Problem, ...],
) -> Task:
    splits, print_ = {}, hashlib.sha256()
    for name in ("train", "validation", "test"):
        part = [record for record in records if record.split == name]
        if part or name != "test":
            targets = tuple(labelling.target(one, classes) for one in part)
            splits[name] = Split(tuple(one.sample for one in part), targets)
        for record in part:
            said = record.label if record.target is None else repr(record.target)
            print_.update(f"{name}\0{record.sample.digest}\0{said}\n".encode())
    name, metric = path.resolve().name.split(".")[0], labelling.metric(classes)
    return Task(name, reading.kind, classes, splits, metric, fingerprint=print_.hexdigest(), problems=problems)
