"""From a path to a task: read it, check it, split it."""

from dataclasses import dataclass, replace
from pathlib import Path

from regraft.core import DataError, Problem, Task, TaskKind
from regraft.tasks import checks
from regraft.tasks.dividing import divided
from regraft.tasks.gathering import gathered
from regraft.tasks.reading import Columns, worst


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


def open_task(  # noqa: PLR0913 - what a caller may say
    data: str | Path,
    *,
    text_column: str = "text",
    label_column: str = "label",
    pair_column: str = "text_pair",
    group_column: str = "",
    kind: TaskKind | None = None,
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
        kind: What the data are read as, where they could be of several kinds: whole numbers as quantities
            (`text-regression`), fractions as classes (`text-classification`), or the tags of a table that holds labels
            too (`token-classification`). None = what they look like.
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
        kind=kind,
        seed=seed,
        strict=strict,
        offline=offline,
    )
    if found.task is None:
        raise DataError(f"{data}: {worst(found.problems) or 'nothing to learn from'}")
    return found.task


def inspect_data(  # noqa: PLR0913
    data: str | Path,
    *,
    text_column: str = "text",
    label_column: str = "label",
    pair_column: str = "text_pair",
    group_column: str = "",
    kind: TaskKind | None = None,
    seed: int = 0,
    strict: bool = False,
    offline: bool = False,
) -> Inspection:
    """What the data are and every problem of theirs; arguments as `open_task`."""
    found = gathered(data, Columns(text_column, label_column, group_column, pair_column, kind), offline=offline)
    reading, labelling = found.reading, found.labelling
    if kind not in {None, reading.kind}:
        raise DataError(f"{data}: it is {reading.kind}, and cannot be read as --kind {kind}")
    if reading.kind.endswith("-classification") and reading.kind != "token-classification":
        checks.check_labels(found.records, reading.findings)
    task = divided(found, seed)
    task = replace(task, problems=reading.findings.problems())
    if strict and (faults := worst(task.problems)):
        raise DataError(f"{data}: {faults}")
    return Inspection(
        task=task if len(task.train) and len(task.classes) >= labelling.fewest_classes else None,
        kind=task.kind,
        classes=task.classes,
        counts=task.counts(),
        splits={name: len(split) for name, split in task.splits.items()},
        problems=task.problems,
    )
