"""Labelled target data: samples that know where their bytes are, targets, splits, problems."""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from regraft.core.display import html_list, html_table, html_title
from regraft.core.unicode import valid_text

TaskKind = Literal[
    "image-classification",
    "text-classification",
    "text-regression",
    "token-classification",
    "question-answering",
]
Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True)
class ImageSample:
    """One picture, read when it is needed.

    Attributes:
        source: What a person would call it: a path, or `shard.tar:key.jpg`; made valid Unicode.
        path: The file that holds its bytes.
        digest: sha256 of its bytes, hexadecimal.
        offset: Where it begins in an uncompressed tar; 0 for a file of its own.
        size: Bytes; -1 for a whole file.
    """

    source: str
    path: str
    digest: str
    offset: int = 0
    size: int = -1

    def __post_init__(self) -> None:
        object.__setattr__(self, "source", valid_text(self.source))

    def read(self) -> bytes:
        """Its encoded bytes."""
        with Path(self.path).open("rb") as file:
            file.seek(self.offset)
            return file.read(self.size)


@dataclass(frozen=True)
class TextSample:
    """One text, or a pair of texts, made valid Unicode: no tokenizer and no file takes anything else.

    Attributes:
        source: `train.csv:17` (row numbers count from 1, the header is row 1).
        text: The text; of a question with its passage, the question.
        text_pair: The second text of a pair, or the passage; else None.
        words: Of a text that comes in words: these, which `text` holds with single spaces between.
        starts: Where each word begins in what the user wrote; empty = in `text`.
    """

    source: str
    text: str
    text_pair: str | None = None
    words: tuple[str, ...] = ()
    starts: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        pair = None if self.text_pair is None else valid_text(self.text_pair)
        made = {"source": valid_text(self.source), "text": valid_text(self.text), "text_pair": pair}
        for name, value in {**made, "words": tuple(map(valid_text, self.words))}.items():
            object.__setattr__(self, name, value)

    @property
    def digest(self) -> str:
        """sha256 of the text and its pair, hexadecimal."""
        pair = "" if self.text_pair is None else "\x1e" + self.text_pair
        return hashlib.sha256((self.text + pair).encode()).hexdigest()


Sample = ImageSample | TextSample


@dataclass(frozen=True)
class Answers:
    """What a question's answer may be: spans of the passage, all of them right; none = it has no answer there.

    Attributes:
        spans: (first character, text) of each.
    """

    spans: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True)
class Problem:
    """Something wrong with the data, and what to do about it.

    Attributes:
        severity: `error` = left out or unusable; `warning` = kept, look at it; `note` = handled.
        code: Stable and short, such as `truncated-picture`.
        message: One sentence with the cure.
        items: The samples concerned, as `Sample.source` writes them.
    """

    severity: Severity
    code: str
    message: str
    items: tuple[str, ...] = ()


@dataclass(frozen=True, repr=False)
class Split:
    """Samples with their targets, index by index.

    What a target is depends on the task's kind: an index into `Task.classes` (classification), a float
    (regression), one such index per word (token classification), or `Answers` (question answering).

    Attributes:
        samples: N of them.
        targets: As many.
        groups: Those of its task, which gives them to it.
    """

    samples: tuple[Sample, ...]
    targets: tuple[Any, ...]
    groups: Mapping[str, int] = field(default_factory=dict, compare=False)

    def __repr__(self) -> str:
        return f"Split({len(self)} samples)"

    def __len__(self) -> int:
        return len(self.samples)

    @property
    def together(self) -> list[int]:
        """A number for each sample, shared by those that are no independent ones."""
        return _together(self.samples, self.groups)


def _together(samples: Sequence[Sample], groups: Mapping[str, int]) -> list[int]:
    """The position of the first sample of each one's group; copies are one group."""
    first: dict[str, int] = {}
    digests = [one.digest for one in samples]
    keys = [f"group {groups[one]}" if one in groups else one for one in digests]
    return [first.setdefault(key, position) for position, key in enumerate(keys)]


@dataclass(frozen=True)
class TaskSummary:
    """What a strategy may know of a task: counts, no samples."""

    kind: TaskKind
    classes: int
    samples: int
    smallest_class: int


@dataclass(frozen=True)
class Task:
    """Labelled target data with its kind, classes and splits.

    Attributes:
        name: The folder's or file's name.
        kind: What is to be predicted from what.
        classes: Class names in target order; the tags of token classification; empty for a regression.
        splits: `train`, `validation` and `test`; `test` may be absent.
        metric: The metric that choices are made by.
        fingerprint: sha256 over every split's digests and targets.
        problems: What was found wrong while opening it.
        groups: By a sample's digest, a number that it shares with samples of its group: those nearly the same, or of
            one value in a group column. Samples that are alone are not in it.
        seed: Of the split, where the data had none.
        group_column: The column whose groups the split kept together; empty = none.
    """

    name: str
    kind: TaskKind
    classes: tuple[str, ...]
    splits: Mapping[str, Split]
    metric: str = "accuracy"
    fingerprint: str = ""
    problems: tuple[Problem, ...] = field(default=(), repr=False)
    groups: Mapping[str, int] = field(default_factory=dict, repr=False)
    seed: int = 0
    group_column: str = ""

    def __post_init__(self) -> None:
        """Tell the splits the groups: whoever is given one of them alone must know what belongs together."""
        told = {name: replace(split, groups=self.groups) for name, split in self.splits.items()}
        object.__setattr__(self, "splits", told)

    @property
    def train(self) -> Split:
        """The samples to learn from."""
        return self.splits["train"]

    @property
    def validation(self) -> Split:
        """The samples to choose by."""
        return self.splits["validation"]

    @property
    def test(self) -> Split | None:
        """The samples to report on, where there are any."""
        return self.splits.get("test")

    @property
    def paired(self) -> bool:
        """Whether its texts come in pairs."""
        return any(isinstance(one, TextSample) and one.text_pair is not None for one in self.train.samples)

    def together(self, samples: Sequence[Sample]) -> list[int]:
        """A number for each of the samples, shared by those that nothing may part: no split and no fold."""
        return _together(samples, self.groups)

    def counts(self) -> dict[str, dict[str, int]]:
        """Samples per split and class."""
        found = {name: self._counted(split) for name, split in self.splits.items()}
        return {name: {label: counts[i] for i, label in enumerate(self.classes)} for name, counts in found.items()}

    def summary(self) -> TaskSummary:
        """What a strategy may know of it."""
        counted = self.kind.endswith("-classification") and self.kind != "token-classification"
        smallest = min(self._counted(self.train).values(), default=0) if counted else len(self.train)
        return TaskSummary(self.kind, len(self.classes), len(self.train), smallest)

    def _repr_html_(self) -> str:
        counts = self.counts()
        rows = [("all", *(f"{len(split):,}" for split in self.splits.values()))]
        if self.kind.endswith("-classification"):
            rows += [(label, *(f"{counts[name][label]:,}" for name in self.splits)) for label in self.classes]
        unit = "class, words" if self.kind == "token-classification" else "class"
        classes = f", {len(self.classes)} classes" if self.classes else ""
        return (
            html_title(self.name, f": {self.kind.replace('-', ' ')}{classes}")
            + html_table((unit, *self.splits), rows)
            + html_list([problem.message for problem in self.problems])
        )

    def _counted(self, split: Split) -> Counter[int]:
        """How often each class occurs: samples, or words of token classification."""
        if self.kind == "token-classification":
            return Counter(tag for tags in split.targets for tag in tags)
        if self.kind == "question-answering":
            return Counter(int(not target.spans) for target in split.targets)
        return Counter() if self.kind == "text-regression" else Counter(split.targets)
