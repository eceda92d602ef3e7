"""Tags of words, and the entities that they mark."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from seqeval.metrics.sequence_labeling import get_entities

from regraft.core import Sample, TextSample
from regraft.predicting.network import Fitted, Report, token_outputs
from regraft.running.units import first_tokens


@dataclass(frozen=True)
class Entity:
    """A run of words that is one thing; `start` and `end` are characters of the input, `text` has single spaces."""

    text: str
    label: str
    start: int
    end: int
    score: float


@dataclass(frozen=True)
class Tagged:
    """The tag of every word of an input, and the entities among them; `score` is the mean share of the tags."""

    input: str
    words: tuple[str, ...]
    tags: tuple[str, ...]
    score: float
    entities: tuple[Entity, ...]


def tag_words(fitted: Fitted, samples: Sequence[Sample], report: Report | None = None) -> list[Tagged]:
    """The most probable tag of each word; a word that the tokenizer drops gets the first class."""
    shares = [np.zeros((len(_words(sample)), len(fitted.classes))) for sample in samples]
    for unit, outputs in token_outputs(fitted, samples, report):
        probabilities = outputs.double().softmax(dim=1).numpy()
        for word, position in enumerate(first_tokens(fitted.backbone, unit.sample)):
            if position >= 0:
                shares[unit.owner][unit.start + word] = probabilities[position]
    return [_tagged(fitted.classes, sample, rows) for sample, rows in zip(samples, shares, strict=True)]


def _words(sample: Sample) -> tuple[str, ...]:
    return sample.words if isinstance(sample, TextSample) else ()


def _starts(sample: Sample) -> tuple[int, ...]:
    """The first character of each word."""
    if isinstance(sample, TextSample) and sample.starts:
        return sample.starts
    return tuple(itertools.accumulate((len(word) + 1 for word in _words(sample)), initial=0))


def _tagged(classes: tuple[str, ...], sample: Sample, shares: NDArray[np.float64]) -> Tagged:
    words = _words(sample)
    tags = tuple(classes[int(row.argmax())] for row in shares)
    starts = _starts(sample)
    marked = any(tag.startswith(("B-", "I-")) for tag in classes)
    entities = []
    for label, first, last in get_entities(list(tags)) if marked else ():
        start, end = starts[first], starts[last] + len(words[last])
        score = float(shares[first : last + 1].max(axis=1).mean())
        entities.append(Entity(" ".join(words[first : last + 1]), label, start, end, score))
    score = float(shares.max(axis=1).mean()) if len(words) else 0.0
    return Tagged(sample.source, words, tags, score, tuple(entities))
