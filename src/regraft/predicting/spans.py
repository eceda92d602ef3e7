"""Answers as spans of a passage: start and end searched for together, over all windows."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from regraft.core import Sample, TextSample
from regraft.predicting.network import Fitted, Report, token_outputs
from regraft.running.units import Unit, token_offsets

LONGEST_ANSWER = 30  # tokens, as the reference implementation of BERT for SQuAD has it


@dataclass(frozen=True)
class Answered:
    """The best span of the passage; empty where the passage holds no answer.

    `start` and `end` are characters of the passage, -1 without an answer; `score` is the share of the span.
    """

    input: str
    answer: str
    start: int
    end: int
    score: float


@dataclass(frozen=True)
class _Span:
    """A candidate; `score` is the sum of the log shares of its ends."""

    score: float
    start: int = -1
    end: int = -1


def answer_questions(fitted: Fitted, samples: Sequence[Sample], report: Report | None = None) -> list[Answered]:
    """The best span of each passage; none where that is likelier, if training had questions without answers."""
    best = [_Span(float("-inf"))] * len(samples)
    nothing = [0.0] * len(samples)  # no answer in a passage = none in any of its windows
    for unit, outputs in token_outputs(fitted, samples, report):
        span, none = _best_span(unit, outputs, token_offsets(fitted.backbone, unit.sample))
        best[unit.owner] = max(best[unit.owner], span, key=lambda one: one.score)
        nothing[unit.owner] = min(nothing[unit.owner], none)
    may_be_empty = len(fitted.classes) > 1
    return [
        _answered(sample, span, none if may_be_empty else float("-inf"))
        for sample, span, none in zip(samples, best, nothing, strict=True)
    ]


def _best_span(unit: Unit, outputs: Tensor, offsets: list[tuple[int, int, int]]) -> tuple[_Span, float]:
    """The best span of one window, and the score of there being none."""
    starts, ends = outputs.double().log_softmax(dim=0).numpy().T
    nothing = float(starts[0] + ends[0])
    inside = [i for i, (part, begin, end) in enumerate(offsets[: len(starts)]) if part == 1 and end > begin]
    if not inside:
        return _Span(float("-inf")), nothing
    scores = starts[inside][:, None] + ends[inside][None]
    rows, columns = np.indices(scores.shape)
    scores[(columns < rows) | (columns - rows >= LONGEST_ANSWER)] = -np.inf
    first, last = np.unravel_index(int(scores.argmax()), scores.shape)
    begin, end = offsets[inside[first]][1], offsets[inside[last]][2]
    return _Span(float(scores[first, last]), unit.start + begin, unit.start + end), nothing


def _answered(sample: Sample, span: _Span, nothing: float) -> Answered:
    passage = (sample.text_pair if isinstance(sample, TextSample) else None) or ""
    if span.start < 0 or nothing > span.score:
        return Answered(sample.source, "", -1, -1, float(np.exp(min(nothing, 0.0))) if nothing > float("-inf") else 0.0)
    text = passage[span.start : span.end]
    start = span.start + len(text) - len(text.lstrip())  # a byte-level token begins with the space before it
    return Answered(sample.source, text.strip(), start, start + len(text.strip()), float(np.exp(span.score)))
