"""Metrics of quantities, entities and answers against independent implementations."""

import collections
import string

import numpy as np
import pytest
from scipy import stats
from seqeval.metrics import f1_score, precision_score, recall_score

from regraft.evaluating import evaluate_answers, evaluate_quantities, evaluate_tags


def test_correlations_equal_those_of_scipy() -> None:
    rng = np.random.default_rng(0)
    truth = rng.normal(size=200).round(1)
    guess = truth + rng.normal(size=200).round(1)
    found = evaluate_quantities(truth, guess)
    assert found.metrics["pearson"] == pytest.approx(stats.pearsonr(truth, guess).statistic)
    assert found.metrics["spearman"] == pytest.approx(stats.spearmanr(truth, guess).statistic)
    assert found.metrics["rmse"] == pytest.approx(float(np.sqrt(np.mean((truth - guess) ** 2))))
    low, high = found.intervals["pearson"]
    exact = stats.pearsonr(truth, guess).confidence_interval()
    assert (low, high) == pytest.approx((exact.low, exact.high), abs=0.04)


def test_a_guess_that_never_changes_correlates_with_nothing() -> None:
    assert evaluate_quantities(np.arange(5.0), np.ones(5)).metrics["pearson"] == 0


def test_entity_scores_equal_those_of_seqeval() -> None:
    rng = np.random.default_rng(0)
    classes = ("O", "B-LOC", "I-LOC", "B-PER", "I-PER")
    truth = [[classes[i] for i in rng.integers(0, 5, rng.integers(1, 12))] for _ in range(60)]
    guess = [[tag if rng.random() < 0.7 else classes[rng.integers(5)] for tag in tags] for tags in truth]
    found = evaluate_tags(truth, guess, classes)
    assert found.metrics["entity_f1"] == pytest.approx(f1_score(truth, guess))
    assert found.metrics["entity_precision"] == pytest.approx(precision_score(truth, guess))
    assert found.metrics["entity_recall"] == pytest.approx(recall_score(truth, guess))
    assert found.intervals["entity_f1"][0] < found.metrics["entity_f1"] < found.intervals["entity_f1"][1]
    assert np.sum(found.confusion) == sum(map(len, truth))


def reference_f1(guess: str, gold: str) -> float:
    """Written from the description of the metric, in its own way."""

    def tokens(text: str) -> collections.Counter[str]:
        kept = "".join(one for one in text.lower() if one not in string.punctuation)
        return collections.Counter(word for word in kept.split() if word not in {"a", "an", "the"})

    first, second = tokens(guess), tokens(gold)
    shared = sum(min(first[word], second[word]) for word in first)
    if not first or not second:
        return float(first == second)
    precision, recall = shared / sum(first.values()), shared / sum(second.values())
    return 2 * precision * recall / (precision + recall) if shared else 0.0


def test_answers_are_scored_as_squad_describes() -> None:
    golds = [["the Norman conquest", "Norman"], ["in 1066!"], ["A.B. See"], ["nothing alike"]]
    guesses = ["a Norman", "In 1066", "ab see also", "else"]
    found = evaluate_answers(golds, guesses)
    expected = [max(reference_f1(guess, one) for one in gold) for gold, guess in zip(golds, guesses, strict=True)]
    assert found.metrics["f1"] == pytest.approx(np.mean(expected))
    assert found.metrics["exact_match"] == 0.5


def test_questions_without_an_answer() -> None:
    found = evaluate_answers([["yes"], [], []], ["yes", "", "no"])
    assert found.metrics["exact_match"] == pytest.approx(2 / 3)
    assert found.metrics["no_answer_accuracy"] == 0.5
    assert found.metrics["answerable_f1"] == 1
