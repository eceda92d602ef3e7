"""Gathered records as a task: divided into parts to learn from, to choose by and to report on, or as they come."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace

from regraft.core import Split, Task
from regraft.tasks.gathering import Gathered
from regraft.tasks.reading import Record
from regraft.tasks.splits import held_out

TEST_SHARE = 0.2
VALIDATION_SHARE = 0.2  # of what is left for training
ORDER = ("train", "validation", "test")


def divided(found: Gathered, seed: int) -> Task:
    """The task with a train, a validation and, where possible, a test part; a split that the data have is kept."""
    records = _split(found, seed)
    train = [record for record in records if record.split == "train"]
    classes = found.labelling.classes(train)
    task = _task(found, _known(found, records, classes), classes)
    splits = {name: Split((), ()) for name in ("train", "validation")} | dict(task.splits)
    return replace(task, splits=splits, seed=seed, group_column=found.group_column)


def undivided(found: Gathered) -> Task:
    """The task with the splits that the data name; where they name none, all of it is `test`."""
    records = [replace(one, split=one.split or "test") for one in found.records]
    return _task(found, records, found.labelling.classes(records))


def _split(found: Gathered, seed: int) -> list[Record]:
    """The records with every split filled in."""
    records = found.records
    present = {record.split for record in records}
    if not present & {"", "train"}:  # held-out shards alone, say: they are all there is to learn from
        message = "the data have no training part: all of it is divided anew, to learn from and to test on"
        found.reading.findings.add("note", "no-training-part", message, *sorted(present))
        records, present = [replace(record, split="") for record in records], {""}
    if "" in present:
        records = [replace(record, split="train") for record in records]
    if not present & {"test", "validation"}:
        records = _held(found, records, "test", TEST_SHARE, seed)
    if "validation" not in present:
        records = _held(found, records, "validation", VALIDATION_SHARE, seed)
    return records


def _held(found: Gathered, records: list[Record], split: str, share: float, seed: int) -> list[Record]:
    """Move a share of the training part to another split."""
    strata, groups = found.labelling.strata(records), found.groups
    train = [position for position, record in enumerate(records) if record.split == "train"]
    classes = [found.labelling.labels(records[i]) for i in train]
    held = held_out([strata[i] for i in train], [groups[i] for i in train], share, seed, classes)
    moved = {train[i] for i in held}
    return [replace(record, split=split) if i in moved else record for i, record in enumerate(records)]


def _known(found: Gathered, records: list[Record], classes: Sequence[str]) -> list[Record]:
    """The records whose classes the training part has."""
    known, kept = set(classes), []
    for record in records:
        strange = sorted(set(found.labelling.labels(record)) - known)
        if strange:
            message = "labels that the training part does not have; their samples are left out"
            found.reading.findings.add("error", "label-only-in-test", message, f"{record.sample.source} ({strange[0]})")
        else:
            kept.append(record)
    return kept


def _task(found: Gathered, records: list[Record], classes: tuple[str, ...]) -> Task:
    """The task of records that all have their split."""
    splits, print_ = {}, hashlib.sha256()
    for split in ORDER:
        part = [record for record in records if record.split == split]
        if part:
            targets = tuple(found.labelling.target(one, classes) for one in part)
            splits[split] = Split(tuple(one.sample for one in part), targets)
        for record in part:
            said = record.label if record.target is None else repr(record.target)
            party = f"\0{record.group}" * bool(record.group)  # folds of a solved head depend on it
            print_.update(f"{split}\0{record.sample.digest}\0{said}{party}\n".encode())
    return Task(
        name=found.name,
        kind=found.reading.kind,
        classes=classes,
        splits=splits,
        metric=found.labelling.metric(classes),
        fingerprint=print_.hexdigest(),
        groups=found.parties(),
    )
