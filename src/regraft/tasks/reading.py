"""What every reader hands on: labelled records, and what was wrong with the rest."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from regraft.core import DataError, Problem, Sample
from regraft.core.task import Severity, TaskKind
from regraft.core.unicode import valid_text

Row = tuple[str, dict[str, Any]]  # `file:line`, and the cells by column

SPLIT_NAMES = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "dev": "validation",
    "test": "test",
    "testing": "test",
}


@dataclass(frozen=True)
class Record:
    """A labelled sample.

    Attributes:
        sample: The sample.
        label: Its class name; empty where the task has no classes.
        split: Empty where the source has none.
        target: Of a task without classes: the quantity, the tags of the words, or the `Answers`.
        group: What it belongs to, such as a patient; no split may part a group. Empty = to nothing.
    """

    sample: Sample
    label: str
    split: str = ""
    target: Any = None
    group: str = ""


@dataclass(frozen=True)
class Columns:
    """Which columns of a table are read.

    Attributes:
        text: Holds the text.
        label: Holds the label.
        pair: Holds the second text of a pair, in tables that have it.
        group: Holds what a sample belongs to; empty = none does.
        kind: What the data are read as, where they could be of several kinds; None = what they look like.
    """

    text: str = "text"
    label: str = "label"
    group: str = ""
    pair: str = "text_pair"
    kind: TaskKind | None = None


def refuse_columns(
    data: object, columns: Columns, holds: str, names: tuple[str, ...] = ("text", "label", "pair")
) -> None:
    """Refuse options that choose a column where there is none to choose: they would change nothing.

    Args:
        data: What is read.
        columns: As they were chosen.
        holds: What is read there.
        names: Fields of `Columns` that have no meaning there.

    Raises:
        DataError: One of these was chosen.
    """
    usual, options = Columns(), {"text": "--text-column", "label": "--label-column", "pair": "--pair-column"}
    for name in names:
        said = getattr(columns, name)
        if said != getattr(usual, name):
            raise DataError(
                f"{options[name]} {said}: {data} holds {holds}, without such a column; leave the option away"
            )


def group_said(value: Any) -> str:
    """A group as a column holds it, as text; empty for an empty cell."""
    return "" if value is None else str(value).strip()


class Findings:
    """Problems gathered by code, each with the samples it concerns."""

    def __init__(self) -> None:
        self._found: dict[str, tuple[Severity, str, list[str]]] = {}

    def add(self, severity: Severity, code: str, message: str, *items: str) -> None:
        """Note a problem; the first message of a code stands for all its items."""
        self._found.setdefault(code, (severity, message, []))[2].extend(map(valid_text, items))

    def problems(self) -> tuple[Problem, ...]:
        """All of them, in the order they were first found."""
        return tuple(
            Problem(severity, code, message, tuple(items)) for code, (severity, message, items) in self._found.items()
        )


def split_of(file: Path) -> str:
    """The split that a file is named after; empty if it is not."""
    return SPLIT_NAMES.get(file.stem.lower(), "")


def is_there(path: Path) -> bool:
    """Whether there is such a file or folder; nothing is at a path that cannot be, such as one with too long a name."""
    try:
        return path.exists()
    except OSError:
        return False


def worst(problems: tuple[Problem, ...]) -> str:
    """The errors as one line, with how many samples each concerns and the first of them; empty without errors."""
    errors = [problem for problem in problems if problem.severity == "error" and problem.items]
    return "; ".join(f"{one.message} ({len(one.items)}; first: {one.items[0]})" for one in errors)


@dataclass
class Reading:
    """What a reader found."""

    kind: TaskKind
    records: list[Record] = field(default_factory=list)
    findings: Findings = field(default_factory=Findings)
