"""What the labels of each kind of task are: how they become targets, and how a split must treat them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from regraft.core import TaskKind, TextSample
from regraft.tasks.reading import Record
from regraft.tasks.spans import ANSWERED, UNANSWERED
from regraft.tasks.tokens import marks_entities, tag_order
from regraft.tasks.twins import joined

BINS = 10  # of a quantity, so that every split has small and large values


@dataclass(frozen=True)
class Labelling:
    """Labels that are class names; other kinds depart from it.

    Attributes:
        fewest_classes: With fewer there is nothing to learn.
    """

    fewest_classes: int = 2

    def labels(self, record: Record) -> tuple[str, ...]:
        """The classes that occur in a record."""
        return (record.label,)

    def classes(self, train: Sequence[Record]) -> tuple[str, ...]:
        """Class names in target order."""
        return tuple(sorted({record.label for record in train}, key=_natural))

    def target(self, record: Record, classes: tuple[str, ...]) -> Any:
        """What is to be predicted, as `Split.targets` holds it."""
        return classes.index(record.label)

    def metric(self, classes: tuple[str, ...]) -> str:
        """The metric that choices are made by."""
        return "accuracy"

    def strata(self, records: Sequence[Record]) -> list[str]:
        """What every split should have its share of."""
        return [record.label for record in records]

    def kept_together(self, records: Sequence[Record], groups: list[int]) -> list[int]:
        """Group numbers that no split may cut; `groups` are those of twins."""
        return groups


class QuantityLabelling(Labelling):
    """A number per sample."""

    def labels(self, record: Record) -> tuple[str, ...]:
        """None."""
        return ()

    def classes(self, train: Sequence[Record]) -> tuple[str, ...]:
        """None."""
        return ()

    def target(self, record: Record, classes: tuple[str, ...]) -> Any:
        """The number."""
        return record.target

    def metric(self, classes: tuple[str, ...]) -> str:
        """Pearson's correlation, as of STS (Cer 2017)."""
        return "pearson"

    def strata(self, records: Sequence[Record]) -> list[str]:
        """The decile of each value."""
        values = np.array([record.target for record in records])
        edges = np.quantile(values, np.linspace(0, 1, BINS + 1)[1:-1])
        return [str(one) for one in np.searchsorted(edges, values)]


class TagLabelling(Labelling):
    """A tag per word."""

    def labels(self, record: Record) -> tuple[str, ...]:
        """The tags of all words."""
        return tuple(record.target)

    def classes(self, train: Sequence[Record]) -> tuple[str, ...]:
        """The tags that occur, the one of no entity first."""
        return tag_order(tag for record in train for tag in record.target)

    def target(self, record: Record, classes: tuple[str, ...]) -> Any:
        """The index of each word's tag."""
        index = {tag: number for number, tag in enumerate(classes)}
        return tuple(index[tag] for tag in record.target)

    def metric(self, classes: tuple[str, ...]) -> str:
        """Entity F1 (Tjong Kim Sang 2003), or accuracy where tags mark no entities."""
        return "entity_f1" if marks_entities(classes) else "accuracy"


class AnswerLabelling(Labelling):
    """Spans of a passage."""

    def labels(self, record: Record) -> tuple[str, ...]:
        """None that a test part could be alone with."""
        return ()

    def classes(self, train: Sequence[Record]) -> tuple[str, ...]:
        """Whether questions without an answer occur."""
        return (ANSWERED, UNANSWERED) if any(not one.target.spans for one in train) else (ANSWERED,)

    def target(self, record: Record, classes: tuple[str, ...]) -> Any:
        """The `Answers`."""
        return record.target

    def metric(self, classes: tuple[str, ...]) -> str:
        """F1 over words, as of SQuAD (Rajpurkar 2016)."""
        return "f1"

    def kept_together(self, records: Sequence[Record], groups: list[int]) -> list[int]:
        """Questions on one passage stay together: the passage would give the test part away."""
        return joined(groups, [one.sample.text_pair or "" for one in records if isinstance(one.sample, TextSample)])


_BY_KIND: dict[TaskKind, Labelling] = {
    "image-classification": Labelling(),
    "text-classification": Labelling(),
    "text-regression": QuantityLabelling(fewest_classes=0),
    "token-classification": TagLabelling(),
    "question-answering": AnswerLabelling(fewest_classes=1),
}


def labelling_of(kind: TaskKind) -> Labelling:
    """How this kind of task treats its labels."""
    return _BY_KIND[kind]


def _natural(name: str) -> tuple[int, int | str, str]:
    """Numbers in their own order, before words."""
    return (0, int(name), name) if name.isdecimal() else (1, name, name)
