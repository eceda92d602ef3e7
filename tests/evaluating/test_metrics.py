"""Our metrics against scikit-learn's."""

import numpy as np
import pytest
from sklearn import metrics as reference

from regraft.evaluating import evaluate_probabilities


@pytest.fixture
def answers() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    targets = rng.integers(0, 5, 400)
    logits = rng.normal(size=(400, 5)) + 1.5 * np.eye(5)[targets]
    return targets, np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)


def test_metrics_equal_scikit_learn(answers: tuple[np.ndarray, np.ndarray]) -> None:
    targets, probabilities = answers
    predicted = probabilities.argmax(axis=1)
    ours = evaluate_probabilities(targets, probabilities).metrics
    assert ours["accuracy"] == pytest.approx(reference.accuracy_score(targets, predicted))
    assert ours["balanced_accuracy"] == pytest.approx(reference.balanced_accuracy_score(targets, predicted))
    assert ours["macro_f1"] == pytest.approx(reference.f1_score(targets, predicted, average="macro"))
    assert ours["log_loss"] == pytest.approx(reference.log_loss(targets, probabilities))


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_a_sure_mistake_costs_what_it_costs_in_scikit_learn(kind: type) -> None:
    probabilities = np.array([[1.0, 0.0], [0.2, 0.8], [1e-12, 1 - 1e-12]], dtype=kind)
    targets = np.array([1, 1, 0])
    ours = evaluate_probabilities(targets, probabilities).metrics["log_loss"]
    assert ours == pytest.approx(reference.log_loss(targets, probabilities), rel=1e-3)


def test_confusion_rows_are_the_truth(answers: tuple[np.ndarray, np.ndarray]) -> None:
    targets, probabilities = answers
    expected = reference.confusion_matrix(targets, probabilities.argmax(axis=1))
    assert evaluate_probabilities(targets, probabilities).confusion == expected.tolist()


def test_intervals_hold_the_metric_and_shrink_with_more_samples(answers: tuple[np.ndarray, np.ndarray]) -> None:
    targets, probabilities = answers
    few = evaluate_probabilities(targets[:50], probabilities[:50])
    many = evaluate_probabilities(targets, probabilities)
    for name, (low, high) in many.intervals.items():
        if name != "calibration_error":  # biased upward under resampling, so it need not be inside
            assert low <= many.metrics[name] <= high
    width = {run.samples: run.intervals["accuracy"][1] - run.intervals["accuracy"][0] for run in (few, many)}
    assert width[400] < width[50]


def test_calibration_error_is_the_weighted_gap_of_the_bins(answers: tuple[np.ndarray, np.ndarray]) -> None:
    result = evaluate_probabilities(*answers)
    gap = sum(one.samples * abs(one.accuracy - one.confidence) for one in result.calibration) / result.samples
    assert result.metrics["calibration_error"] == pytest.approx(gap)


def test_classes_that_are_absent_do_not_count() -> None:
    result = evaluate_probabilities(np.array([0, 1]), np.array([[0.9, 0.1, 0.0], [0.1, 0.9, 0.0]]))
    assert result.metrics["macro_f1"] == result.metrics["balanced_accuracy"] == 1.0
