"""What the layers of a text trunk see in single texts: their nearest neighbours, and the words that move a probe."""

import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from regraft.activations.pairs import stage_features
from regraft.core import TextSample
from regraft.measuring.subject import Subject

Doubles = NDArray[np.float64]

ANCHORS = 3
MOST_WORDS = 16  # of a text that is shown: longer ones are hard to read in colour
STRENGTH = 0.1
MOST_ITERATIONS = 200
RULE = (
    "Of each of the largest classes, the text nearest the mean of its class in the last layer; the probe of a layer has "
    "not learnt from it. p is the probability that the probe gives the true class. Orange words hold that class up (p "
    "falls when the word is left out), blue ones speak against it. Below the words stands the nearest other text, with "
    "its class."
)


@dataclass(frozen=True)
class Neighbour:
    """The text that a layer finds nearest to another, and its class."""

    text: str
    label: int
    cosine: float


@dataclass(frozen=True)
class Anchor:
    """One text through the layers.

    Attributes:
        text: The text; of a pair its first half.
        pair: The second half, or empty.
        label: Its class.
        neighbours: One per stage.
        words: The text cut at spaces.
        probabilities: (S,) that each stage's probe gives the true class.
        falls: (S, W) by how much that falls without each word.
    """

    text: str
    pair: str
    label: int
    neighbours: tuple[Neighbour, ...]
    words: tuple[str, ...]
    probabilities: tuple[float, ...]
    falls: tuple[tuple[float, ...], ...]


def anchors(subject: Subject, count: int = ANCHORS) -> tuple[Anchor, ...]:
    """Typical texts of the largest classes, seen layer by layer."""
    labels = subject.labels
    rows = _typical(subject, count)
    probes = [_Probe.of(features, labels, rows) for features in subject.stages]
    return tuple(_anchor(subject, row, probes) for row in rows)


def _typical(subject: Subject, count: int) -> list[int]:
    """Of each of the largest classes, the sample nearest its class mean in the last stage, among those not too long."""
    labels, features = subject.labels, subject.stages[-1]
    lengths = np.array([len(_words(sample)) for sample in subject.samples])
    # Where all are long, those that are shortest.
    fit = lengths <= max(MOST_WORDS, int(np.percentile(lengths, 10)))
    rows = []
    counts = np.bincount(labels)
    for label in counts.argsort()[::-1][:count]:
        members = np.flatnonzero((labels == label) & fit)
        if len(members) and counts[label] > 1:  # of one text alone a probe cannot both learn and be asked
            centre = features[labels == label].mean(axis=0)
            rows.append(int(members[np.square(features[members] - centre).sum(axis=1).argmin()]))
    return rows


def _anchor(subject: Subject, row: int, probes: "Sequence[_Probe]") -> Anchor:
    sample = subject.samples[row]
    if not isinstance(sample, TextSample):
        raise TypeError("anchors are texts")
    words = _words(sample)
    without = [replace(sample, text=" ".join(words[:place] + words[place + 1 :])) for place in range(len(words))]
    reads = "pairs" if subject.stages[-1].shape[1] > subject.backbone.outline.stages[-1].width else "pooled"
    features, _ = stage_features(subject.backbone, [sample, *without], None, reads=reads, precision="fp32")
    label = int(subject.labels[row])
    chances = [probe.chance(values, label) for probe, values in zip(probes, features, strict=True)]
    return Anchor(
        text=sample.text,
        pair=sample.text_pair or "",
        label=label,
        neighbours=tuple(_nearest(subject, values, row) for values in subject.stages),
        words=tuple(words),
        probabilities=tuple(float(chance[0]) for chance in chances),
        falls=tuple(tuple((chance[0] - chance[1:]).tolist()) for chance in chances),
    )


def _nearest(subject: Subject, features: NDArray[np.float32], row: int) -> Neighbour:
    """By the cosine of centred features."""
    centred = features - features.mean(axis=0)
    unit = centred / np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-12)
    alike = unit @ unit[row]
    alike[row] = -np.inf
    found = int(alike.argmax())
    sample = subject.samples[found]
    text = " / ".join(filter(None, (sample.text, sample.text_pair))) if isinstance(sample, TextSample) else ""
    return Neighbour(text, int(subject.labels[found]), float(alike[found]))


def _words(sample: object) -> list[str]:
    return re.findall(r"\S+", sample.text) if isinstance(sample, TextSample) else []


@dataclass(frozen=True)
class _Probe:
    """Logistic regression of one stage that has not learnt from the texts shown."""

    mean: NDArray[np.float32]
    scale: NDArray[np.float32]
    model: LogisticRegression

    @classmethod
    def of(cls, features: NDArray[np.float32], labels: NDArray[np.int64], without: Sequence[int]) -> "_Probe":
        kept = np.setdiff1d(np.arange(len(features)), without)
        mean, scale = features.mean(axis=0), features.std(axis=0) + 1e-6
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model = LogisticRegression(C=STRENGTH, tol=1e-3, max_iter=MOST_ITERATIONS)
            return cls(mean, scale, model.fit((features[kept] - mean) / scale, labels[kept]))

    def chance(self, features: NDArray[np.float32], label: int) -> Doubles:
        """(N,) probability of a class."""
        column = int(np.flatnonzero(self.model.classes_ == label)[0])
        found: Doubles = self.model.predict_proba((features - self.mean) / self.scale)[:, column]
        return found
