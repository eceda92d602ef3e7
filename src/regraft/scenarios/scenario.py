"""A question of transfer learning as plain data: its choices, what each of them means, and where it can be measured."""

from dataclasses import dataclass
from typing import Literal

Criterion = Literal["expected", "safest", "keeps-source", "backbone", "head", "claim"]
Claim = Literal["fewer-labels", "smaller-network", "never-worse", "no-labels"]


@dataclass(frozen=True)
class Answer:
    """One choice.

    Attributes:
        key: `a`, `b`, …
        text: As it is read.
        strategies: Strategies that it stands for; empty where it is not about strategies.
        boundaries: Of a probe: `last`, `all` or `earlier`; empty = any.
        heads: Heads that it stands for.
        backbone: The backbone that it stands for; `either` = whichever, where the ranking finds a tie.
        claim: What it says of transfer learning as such.
    """

    key: str
    text: str
    strategies: tuple[str, ...] = ()
    boundaries: tuple[str, ...] = ()
    heads: tuple[str, ...] = ()
    backbone: str = ""
    claim: Claim | None = None


@dataclass(frozen=True)
class Ground:
    """Real data that the question is measured on.

    Attributes:
        data: `embedded:intents`, or a path below the folder of shared data.
        backbones: As `--backbone` takes them, or paths below the same folder.
        shots: Training samples per class; None = all there are.
        said: What it is, for a person.
    """

    data: str
    backbones: tuple[str, ...]
    shots: int | None
    said: str


@dataclass(frozen=True)
class Scenario:
    """One question.

    Attributes:
        number: As `--answer` names it.
        name: Of its stored measurements.
        title: Short.
        question: As it is asked.
        answers: The choices.
        ground: Where it is measured.
        criterion: What makes a choice right: see `regraft.scenarios.verdict`.
        lesson: What to remember, beside the figures.
    """

    number: int
    name: str
    title: str
    question: str
    answers: tuple[Answer, ...]
    ground: Ground
    criterion: Criterion
    lesson: str
