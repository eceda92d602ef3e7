"""Predictions and their evaluation, by kind of task."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from regraft.activations.store import ActivationStore
from regraft.core import Sample, Split
from regraft.evaluating import (
    Evaluation,
    evaluate_answers,
    evaluate_probabilities,
    evaluate_quantities,
    evaluate_tags,
)
from regraft.predicting.network import Fitted, Report, class_probabilities, pooled_outputs
from regraft.predicting.spans import Answered, answer_questions
from regraft.predicting.tags import Tagged, tag_words


@dataclass(frozen=True)
class Prediction:
    """The class of one input; `scores` has a share for every class, and they sum to 1."""

    input: str
    label: str
    score: float
    scores: dict[str, float]


@dataclass(frozen=True)
class Quantity:
    """The quantity of one input, in the unit of the training labels."""

    input: str
    value: float


Predicted = Prediction | Quantity | Tagged | Answered


def predicted(fitted: Fitted, samples: Sequence[Sample], report: Report | None = None) -> list[Predicted]:
    """One answer per sample."""
    if fitted.kind == "token-classification":
        return list(tag_words(fitted, samples, report))
    if fitted.kind == "question-answering":
        return list(answer_questions(fitted, samples, report))
    if fitted.kind == "text-regression":
        values = pooled_outputs(fitted, samples, None, report)[:, 0].tolist() if samples else []
        return [Quantity(sample.source, value) for sample, value in zip(samples, values, strict=True)]
    rows = class_probabilities(fitted, samples, None, report)
    return [_classified(fitted, sample, row) for sample, row in zip(samples, rows, strict=True)]


def _classified(fitted: Fitted, sample: Sample, row: "np.ndarray[tuple[int], np.dtype[np.float64]]") -> Prediction:
    best = int(row.argmax())
    scores = {name: float(share) for name, share in zip(fitted.classes, row, strict=True)}
    return Prediction(sample.source, fitted.classes[best], float(row[best]), scores)


def evaluated(
    fitted: Fitted, split: Split, store: ActivationStore | None = None, report: Report | None = None
) -> Evaluation:
    """Metrics on labelled samples, with bootstrap intervals; features are kept in `store` where one is given.

    Samples that belong together, as the split's task says, are resampled together.
    """
    together = split.together
    if fitted.kind == "token-classification":
        truth = [[fitted.classes[tag] for tag in tags] for tags in split.targets]
        tags = [one.tags for one in tag_words(fitted, split.samples, report)]
        return evaluate_tags(truth, tags, fitted.classes, together=together)
    if fitted.kind == "question-answering":
        golds = [[text for _, text in target.spans] for target in split.targets]
        answers = [one.answer for one in answer_questions(fitted, split.samples, report)]
        return evaluate_answers(golds, answers, together=together)
    if fitted.kind == "text-regression":
        values = pooled_outputs(fitted, split.samples, store, report)[:, 0].double().numpy()
        return evaluate_quantities(np.asarray(split.targets), values, together=together)
    shares = class_probabilities(fitted, split.samples, store, report)
    return evaluate_probabilities(np.asarray(split.targets), shares, together=together)
