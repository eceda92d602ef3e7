"""From a path to a task: find out what it is, read it, check it, split it."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from regraft.core import DataError, Problem, Split, Task
from regraft.core.unicode import valid_text
from regraft.tasks import checks
from regraft.tasks.class_names import card_of, label_among, names_in_card, names_in_schema
from regraft.tasks.hub import SCHEME, data_set_folder, parsed
from regraft.tasks.hub_layout import hub_files
from regraft.tasks.images import holds_pictures, read_image_folder
from regraft.tasks.labels import Labelling, labelling_of
from regraft.tasks.picture_tables import holds_picture_tables, read_picture_tables
from regraft.tasks.pictures import examine_pictures
from regraft.tasks.reading import Columns, Reading, Record, is_there, worst
from regraft.tasks.splits import held_out, own_splits
from regraft.tasks.tables import read_schema
from regraft.tasks.text_files import TEXT_SUFFIXES, read_text_files, split_files
from regraft.tasks.twins import groups_of, joined
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
    pair_column: str = "text_pair",
    group_column: str = "",
    seed: int = 0,
    strict: bool = False,
    offline: bool = False,
) -> Task:
    """Read labelled data as a task with a train, a validation and, where possible, a test part.

    Args:
        data: A folder of pictures in class folders (or with `metadata.csv`), a WebDataset tar or a folder of
            them, a file of texts (a table of texts or pairs with labels or quantities, tagged words, questions
            on passages), a Parquet table with pictures in it, a folder of such as `train.* / validation.* / test.*`
            or as the hub lays them out, or `hf://OWNER/NAME[:CONFIG]`.
        text_column: Of a table: the column that holds the text.
        label_column: Of a table or a `metadata.csv`: the column that holds the label.
        pair_column: Of a table of texts: the column that holds the second text of a pair, where there is one.
        group_column: Of a table or a `metadata.csv`, or a field of SQuAD files such as `title`: the column that says
            what a sample belongs to, such as a patient or a page; no split parts a group. Empty = there is none.
        seed: Of the split where the data have none.
        strict: Refuse data with bad samples instead of leaving them out.
        offline: Open no connection.

    Raises:
        DataError: Nothing usable is there, or `strict` and a sample is bad.

    Example:
        >>> task = open_task("flowers/")  # doctest: +SKIP
    """
    found = inspect_data(
        data,
        text_column=text_column,
        label_column=label_column,
        pair_column=pair_column,
        group_column=group_column,
        seed=seed,
        strict=strict,
        offline=offline,
    )
    if found.task is None:
        raise DataError(f"{data}: {worst(found.problems) or 'nothing to learn from'}")
    return found.task


def inspect_data(
    data: str | Path,
    *,
    text_column: str = "text",
    label_column: str = "label",
    pair_column: str = "text_pair",
    group_column: str = "",
    seed: int = 0,
    strict: bool = False,
    offline: bool = False,
) -> Inspection:
    """What the data are and every problem of theirs; arguments as `open_task`."""
    columns = Columns(text_column, label_column, group_column, pair_column)
    reading, name = _opened(data, columns, offline=offline)
    if group_column and not any(record.group for record in reading.records):
        raise DataError(
            f"{data}: --group-column {group_column}: no group is read from there; it goes with a table of texts or of "
            "pictures, with metadata.csv and with the fields of SQuAD files, and must not be empty"
        )
    reading.records = own_splits(reading.records)
    labelling = labelling_of(reading.kind)
    hashes = examine_pictures(reading) if reading.kind == "image-classification" else {}
    checks.drop_contradictions(reading)
    twins = groups_of(reading.records, hashes)
    kept = checks.drop_leakage(reading.records, twins, reading.findings)
    records, twins = [reading.records[i] for i in kept], _renumbered([twins[i] for i in kept])
    checks.check_duplicates(records, twins, reading.findings)
    if group_column:
        kept = checks.drop_parted_groups(records, reading.findings)
        records, twins = [records[i] for i in kept], _renumbered([twins[i] for i in kept])
    groups = joined(twins, [record.group for record in records])
    if reading.kind.endswith("-classification") and reading.kind != "token-classification":
        checks.check_labels(records, reading.findings)
    groups = labelling.kept_together(records, groups)
    records = _split(records, labelling.strata(records), groups, seed)
    together = _parties(records, groups)
    classes = labelling.classes([record for record in records if record.split == "train"])
    records = _known(records, classes, labelling, reading)
    problems = reading.findings.problems()
    if strict and any(problem.severity == "error" for problem in problems):
        raise DataError(f"{data}: {worst(problems)}")
    task = _task(name, reading, records, classes, labelling, problems, together)
    return Inspection(
        task=task if len(task.train) and len(classes) >= labelling.fewest_classes else None,
        kind=task.kind,
        classes=classes,
        counts=task.counts(),
        splits={name: len(split) for name, split in task.splits.items()},
        problems=problems,
    )


def _opened(data: str | Path, columns: Columns, *, offline: bool) -> tuple[Reading, str]:
    """The records of DATA, and what to call it."""
    if str(data).startswith(SCHEME):
        name, config = parsed(str(data))
        folder = data_set_folder(str(data), offline=offline)
        files = hub_files(folder, config)
        if not files:
            raise DataError(f"{data}: it holds no table of a known split; download it and give a folder of its files")
        return _read_tables(files, folder, config, columns), name.rpartition("/")[2]
    path = Path(data)
    return _read(path, columns), valid_text(path.resolve().name.split(".")[0])


def _read_tables(files: dict[Path, str], folder: Path, config: str, columns: Columns) -> Reading:
    """Records of files in the hub's layout."""
    names = names_in_card(card_of(folder), config)
    if holds_picture_tables(files):
        return read_picture_tables(files, columns, names)
    if all(file.suffix.lower() == ".parquet" for file in files):
        schema = read_schema(next(iter(files)))
        columns = replace(columns, label=label_among(schema.names, columns, {**names, **names_in_schema(schema)}))
    return read_text_files(files, columns, names)


def _read(path: Path, columns: Columns) -> Reading:
    """The records of whatever `path` is."""
    if not is_there(path):
        raise DataError(f"{path}: no such file or folder")
    if path.is_file():
        if is_shard(path):
            return read_shards([path])
        if path.suffix.lower() in TEXT_SUFFIXES:
            return _read_tables({path: ""}, path.parent, "", columns)
        raise DataError(f"{path}: cannot be read as data; give {', '.join(TEXT_SUFFIXES)}, .tar or a folder")
    if files := split_files(path):
        return _read_tables(files, path, "", columns)
    if shards := shards_in(path):
        return read_shards(shards)
    if files := hub_files(path):
        return _read_tables(files, path, "", columns)
    if holds_pictures(path):
        return read_image_folder(path, columns)
    raise DataError(
        f"{path}: neither pictures in class folders, nor tables named after splits, nor .tar shards are in it"
    )


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
    """The records with every split there should be; a split that the data have is kept."""
    present = {record.split for record in records}
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


def _parties(records: Sequence[Record], groups: Sequence[int]) -> dict[str, int]:
    """By digest, the group of each sample that is not alone in its."""
    sizes = Counter(groups)
    return {one.sample.digest: group for one, group in zip(records, groups, strict=True) if sizes[group] > 1}


def _task(
    name: str,
    reading: Reading,
    records: list[Record],
    classes: tuple[str, ...],
    labelling: Labelling,
    problems: tuple[Problem, ...],
    together: dict[str, int],
) -> Task:
    splits, print_ = {}, hashlib.sha256()
    for split in ("train", "validation", "test"):
        part = [record for record in records if record.split == split]
        if part or split != "test":
            targets = tuple(labelling.target(one, classes) for one in part)
            splits[split] = Split(tuple(one.sample for one in part), targets)
        for record in part:
            said = record.label if record.target is None else repr(record.target)
            party = f"\0{record.group}" * bool(record.group)  # folds of a solved head depend on it
            print_.update(f"{split}\0{record.sample.digest}\0{said}{party}\n".encode())
    metric = labelling.metric(classes)
    return Task(name, reading.kind, classes, splits, metric, print_.hexdigest(), problems, together)
