"""Intervals of scores that are no mean over samples: the score again, each time without a tenth of the samples.

Kott 2001, "The delete-a-group jackknife". A bootstrap would draw samples twice, which features that are many to a sample
take for agreement. Deviations are those from the pieces' own mean: a piece has fewer samples, and where features are many
scores move with that number. Around the score of all samples intervals were up to 8 times (LogME) and 100 times
(TransRate) as wide as scores of new samples differ, around their own mean 1.0 to 1.9 times (320 features, 250 and 1,250
samples).

Where there are too many numbers for that, a draw of the samples is scored instead, and its interval narrowed by the root
of the draw's share: 1.0 to 1.8 times as wide as it should be, up to 3 times for TransRate. Of GBC such a draw says too
little, but it reads 64 directions alone.
"""

import functools
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.stats import t

from regraft.measuring.subject import Subject
from regraft.running.cross_validation import Ints
from regraft.scores import Score, ScoreInputs
from regraft.scores.gbc import DIRECTIONS

GROUPS = 10
T80 = float(t.ppf(0.9, GROUPS - 1))
MOST_NUMBERS = 400_000  # samples times features up to which ten more decompositions take a second, not a minute
FEWEST_PER_CLASS = 3  # of a draw, so that a class is seldom missing from a piece
NONE = (float("nan"), float("nan"))


@dataclass(frozen=True)
class Jackknife:
    """Scores of one set of features without a tenth of the samples at a time.

    Attributes:
        inputs: Of all samples.
        kept: The rows of each piece.
        drawn: Rows so few that features of all directions can be decomposed ten times over.
    """

    inputs: ScoreInputs
    kept: tuple[Ints, ...]
    drawn: Ints

    @classmethod
    def of(cls, subject: Subject, inputs: ScoreInputs) -> "Jackknife":
        """Pieces of a subject's samples: twins leave together, and each class in its share."""
        _, first, members = np.unique(subject.groups, return_index=True, return_inverse=True)
        shuffled = np.random.default_rng(subject.seed).permutation(len(first))
        order = np.lexsort((shuffled, subject.targets[first]))
        part = np.empty(len(first), dtype=np.int64)
        part[order] = np.arange(len(first)) % GROUPS
        share = min(MOST_NUMBERS / max(inputs.features.size, 1), 1.0)
        # Evenly along the sorted classes, so that each has its share.
        drawn = np.zeros(len(first), dtype=bool)
        drawn[order] = np.floor(np.arange(1, len(first) + 1) * share) > np.floor(np.arange(len(first)) * share)
        kept = tuple(np.flatnonzero(part[members] != group) for group in range(GROUPS))
        return cls(inputs, kept, np.flatnonzero(drawn[members]))

    @functools.cached_property
    def pieces(self) -> tuple[ScoreInputs, ...]:
        """The inputs without each tenth; classes that have no sample left are no classes there."""
        return tuple(_taken(self.inputs, rows) for rows in self.kept)

    @functools.cached_property
    def answer_pieces(self) -> tuple[ScoreInputs, ...]:
        """The same for scores of the original head's answers, which read no feature."""
        answers = replace(self.inputs, features=self.inputs.features[:, :0])
        return tuple(_taken(answers, rows) for rows in self.kept)

    @functools.cached_property
    def drawn_pieces(self) -> tuple[ScoreInputs, ...]:
        """The drawn rows' inputs without each tenth of those."""
        order = np.argsort(self.inputs.targets[self.drawn], kind="stable")
        groups = self.drawn if self.inputs.groups is None else self.inputs.groups[self.drawn]
        _, first, members = np.unique(groups[order], return_index=True, return_inverse=True)
        part = (first.argsort().argsort() % GROUPS)[members]
        return tuple(_taken(self.inputs, self.drawn[order[part != group]]) for group in range(GROUPS))

    @functools.cached_property
    def leading_pieces(self) -> tuple[ScoreInputs, ...]:
        """The inputs without each tenth, in the leading directions of all samples."""
        leading = replace(self.inputs, features=self.inputs.centred.leading(DIRECTIONS).astype(np.float32))
        return tuple(_taken(leading, rows) for rows in self.kept)


def half_width(score: Score, pieces: Sequence[ScoreInputs]) -> float:
    """Half the 80 % interval of a score of all samples that the pieces were made of; NaN where a piece has none."""
    again = np.array([score.compute(piece) for piece in pieces])
    return T80 * float(np.sqrt((GROUPS - 1) / GROUPS * np.square(again - again.mean()).sum()))


def _taken(inputs: ScoreInputs, rows: Ints) -> ScoreInputs:
    source = None if inputs.source is None else inputs.source[rows]
    groups = None if inputs.groups is None else inputs.groups[rows]
    if not inputs.classes:
        return ScoreInputs(inputs.features[rows], inputs.targets[rows], 0, source, groups)
    classes, targets = np.unique(inputs.targets[rows], return_inverse=True)
    return ScoreInputs(inputs.features[rows], targets, len(classes), source, groups)


def with_interval(jackknife: Jackknife, score: Score, value: float) -> tuple[float, float, str]:
    """The ends of a score's interval, and how they were got, or why there are none."""
    inputs = jackknife.inputs
    samples, width = inputs.features.shape
    count, scale = samples, 1.0
    if "source-head" in score.needs:
        pieces = jackknife.answer_pieces
    elif samples * width <= MOST_NUMBERS:
        pieces = jackknife.pieces
    elif score.name == "gbc":  # which reads no more than the leading directions
        pieces = jackknife.leading_pieces
    elif len(jackknife.drawn) < max(FEWEST_PER_CLASS * inputs.classes, 2 * GROUPS):
        return (
            *NONE,
            f"no interval: of {width} features only {len(jackknife.drawn)} samples can be scored ten times over",
        )
    else:
        pieces, count = jackknife.drawn_pieces, len(jackknife.drawn)
        scale = float(np.sqrt(count / samples))
    half = scale * half_width(score, pieces)
    of = "the samples" if count == samples else f"{count} of the {samples} samples"
    return value - half, value + half, f"80 % interval: scored again without a tenth of {of} at a time"
