"""Intervals of scores that are no mean over samples: the score again, each time without a tenth of the samples.

Kott 2001, "The delete-a-group jackknife". A bootstrap would draw samples twice, which features that are many to a sample
take for agreement.
"""

import functools
from dataclasses import dataclass

import numpy as np
from scipy.stats import t

from regraft.measuring.subject import Subject
from regraft.running.cross_validation import Ints
from regraft.scores import Score, ScoreInputs

GROUPS = 10
T80 = float(t.ppf(0.9, GROUPS - 1))
MOST_NUMBERS = 400_000  # samples times features up to which ten more decompositions take seconds, not minutes
NONE = (float("nan"), float("nan"))


@dataclass(frozen=True)
class Jackknife:
    """Scores of one set of features without a tenth of the samples at a time.

    Attributes:
        inputs: Of all samples.
        kept: The rows of each piece.
    """

    inputs: ScoreInputs
    kept: tuple[Ints, ...]

    @classmethod
    def of(cls, subject: Subject, inputs: ScoreInputs) -> "Jackknife":
        """Pieces of a subject's samples: twins leave together, and each class in its share."""
        _, first, members = np.unique(subject.groups, return_index=True, return_inverse=True)
        shuffled = np.random.default_rng(subject.seed).permutation(len(first))
        part = np.empty(len(first), dtype=np.int64)
        part[np.lexsort((shuffled, subject.targets[first]))] = np.arange(len(first)) % GROUPS
        return cls(inputs, tuple(np.flatnonzero(part[members] != group) for group in range(GROUPS)))

    @property
    def cheap(self) -> bool:
        """Whether scores can be computed ten times over in seconds."""
        return self.inputs.features.size <= MOST_NUMBERS

    @functools.cached_property
    def pieces(self) -> tuple[ScoreInputs, ...]:
        """The inputs without each tenth; classes that have no sample left are no classes there."""
        return tuple(_taken(self.inputs, rows) for rows in self.kept)

    def interval(self, score: Score, value: float) -> tuple[float, float]:
        """The 80 % interval of a score of all samples; NaN where a piece has none."""
        again = np.array([score.compute(piece) for piece in self.pieces])
        half = T80 * float(np.sqrt((GROUPS - 1) / GROUPS * np.square(again - value).sum()))
        return value - half, value + half


def _taken(inputs: ScoreInputs, rows: Ints) -> ScoreInputs:
    source = None if inputs.source is None else inputs.source[rows]
    groups = None if inputs.groups is None else inputs.groups[rows]
    if not inputs.classes:
        return ScoreInputs(inputs.features[rows], inputs.targets[rows], 0, source, groups)
    classes, targets = np.unique(inputs.targets[rows], return_inverse=True)
    return ScoreInputs(inputs.features[rows], targets, len(classes), source, groups)


def with_interval(jackknife: Jackknife, score: Score, value: float) -> tuple[float, float, str]:
    """The ends of a score's interval, and how they were got, or why there are none."""
    if not jackknife.cheap:
        samples, width = jackknife.inputs.features.shape
        return *NONE, f"no interval: {samples} samples of {width} features are too many to score ten times over"
    return *jackknife.interval(score, value), "80 % interval: scored again without a tenth of the samples at a time"
