"""Samples that belong together are resampled together: intervals are as wide as the groups make them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from regraft import api
from regraft.comparing import compare
from regraft.core import Task
from regraft.evaluating import evaluate_answers, evaluate_probabilities, evaluate_quantities, evaluate_tags
from regraft.evaluating.bootstrap import bootstrap
from regraft.examining import aligned_split

GROUPS, MEMBERS = 60, 6
TOGETHER = [row // MEMBERS for row in range(GROUPS * MEMBERS)]


def twins(seed: int, share: float = 0.7) -> np.ndarray:
    """Whether each of 360 answers is right; the six of a group are alike."""
    return np.repeat(np.random.default_rng(seed).random(GROUPS) < share, MEMBERS).astype(float)


def interval(right: np.ndarray, together: list[int] | tuple[()] = ()) -> tuple[float, float]:
    return bootstrap(len(right), lambda rows: {"x": float(right[rows].mean())}, together=together).intervals["x"]


def test_intervals_of_twins_cover_the_truth_as_often_as_they_say() -> None:
    by_groups = sum(low <= 0.7 <= high for low, high in (interval(twins(seed), TOGETHER) for seed in range(60)))
    one_by_one = sum(low <= 0.7 <= high for low, high in (interval(twins(seed)) for seed in range(60)))
    assert by_groups >= 52
    assert one_by_one <= 45


def test_six_twins_are_worth_one_sample() -> None:
    right = twins(0)
    low, high = interval(right, TOGETHER)
    assert (low, high) == pytest.approx(interval(right[::MEMBERS]), abs=1e-9)  # equal draws of equal groups


def test_groups_of_any_size_are_drawn_whole() -> None:
    together = [0, 1, 1, 2, 2, 2, 0]
    seen: list[np.ndarray] = []

    def metrics(rows: np.ndarray) -> dict[str, float]:
        seen.append(rows)
        return {"x": 0.0}

    found = bootstrap(7, metrics, together=together)
    assert found.groups == 3
    for rows in seen[:-1]:
        counts = np.bincount(rows, minlength=7)
        assert counts[0] == counts[6]
        assert counts[1] == counts[2]
        assert len({*counts[3:6]}) == 1
        assert counts[0] + counts[1] + counts[3] == 3


@pytest.mark.parametrize("together", [(), range(360), [5] * 360])
def test_without_groups_nothing_changes(together: list[int]) -> None:
    right = twins(0)
    assert interval(right, together) == interval(right)


def test_every_kind_of_task_draws_groups() -> None:
    together = [0, 0, 1, 1, 2, 2]
    shares = np.eye(2)[[0, 1, 1, 0, 1, 1]] * 0.8 + 0.1
    tags = [["B-X", "O"]] * 6
    found = [
        evaluate_probabilities(np.array([0, 1, 0, 1, 0, 1]), shares, together=together),
        evaluate_quantities(np.arange(6.0), np.arange(6.0) ** 2, together=together),
        evaluate_answers([["yes"]] * 6, ["yes", "no"] * 3, together=together),
        evaluate_tags(tags, tags, ["O", "B-X"], together=together),
    ]
    assert [one.groups for one in found] == [3] * 4
    assert found[0].samples_said == "6 samples in 3 groups"


def patients(file: Path) -> Path:
    """Eight reports of each of 24 patients, which differ in a number alone."""
    words = np.random.default_rng(0).permutation(
        [
            "fever",
            "cough",
            "rash",
            "pain",
            "sleep",
            "heart",
            "lung",
            "knee",
            "burn",
            "tooth",
            "vision",
            "cold",
            "stress",
            "fall",
            "allergy",
            "fatigue",
            "nausea",
            "swelling",
            "bruise",
            "fracture",
            "wound",
            "ear",
            "back",
            "skin",
        ]
    )
    rows = [
        f"report {i} of the patient with {word},{'ill' if person % 2 else 'well'},p{person}"
        for person, word in enumerate(words)
        for i in range(8)
    ]
    file.write_text("\n".join(["text,label,patient", *rows]) + "\n")
    return file


@pytest.fixture(scope="module")
def task(tmp_path_factory: pytest.TempPathFactory) -> Task:
    return api.open_task(patients(tmp_path_factory.mktemp("data") / "reports.csv"), group_column="patient")


def test_a_part_of_a_task_knows_its_groups(task: Task) -> None:
    model = api.fit(task, "feature-extraction", backbone="bundled:minilm")
    test = task.splits["test"]
    found = model.evaluate(test)
    alone = evaluate_probabilities(np.array(test.targets), model.probabilities(test.samples))
    assert found.metrics == pytest.approx(alone.metrics)
    assert 1 < found.groups < len(test)
    width, narrow = (np.subtract(*reversed(one.intervals["log_loss"])) for one in (found, alone))
    assert width > 1.3 * narrow
    assert "groups" in found._repr_html_()
    assert model.results["test"]["intervals"]["log_loss"] == pytest.approx(found.intervals["log_loss"])
    aligned = aligned_split(model, task, "test")
    assert model.evaluate(aligned).groups == found.groups


def test_a_comparison_belongs_to_its_groups(task: Task, tmp_path: Path) -> None:
    ungrouped, grouped = (
        compare(data, tmp_path, strategies=("feature-extraction",), backbone="bundled:minilm", seeds=1)
        for data in (replace(task, groups={}), task)
    )
    assert (ungrouped.resampled, grouped.resampled) == ("samples", "groups")
    assert "over seeds and groups of the test part" in (tmp_path / "report.md").read_text()
    assert grouped.trials[0].draws != ungrouped.trials[0].draws
    assert len(list((tmp_path / "trials").iterdir())) == 2  # what was kept of the one is not taken for the other
