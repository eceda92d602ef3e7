"""Statistics against independent computations, the receipt, resuming, and a report that needs nothing else."""

import csv
import json
import shutil
import xml.etree.ElementTree as ET
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from regraft import api
from regraft.comparing import Comparison, TransferGain, Trial, compare, gain_sentence
from regraft.comparing.curves import curves_of
from regraft.comparing.ranking import contests, decide
from regraft.comparing.receipt import transfer_gain
from regraft.comparing.receipt_lines import receipt_lines
from regraft.comparing.report import Findings, write_report
from regraft.comparing.statistics import holm, interval, mean_draws, paired_difference
from regraft.core import Plan, Solve, Step, Task, Train
from regraft.demo import intents_folder
from regraft.evaluating.power_law import PowerLaw, fit_power_law
from regraft.tasks import few_shot


def trial(name: str, right: np.ndarray, seed: int = 0, seconds: float = 1.0, **more: object) -> Trial:
    """A trial with the draws that a real evaluation of these answers has."""
    rng = np.random.default_rng(0)
    draws = tuple(float(right[rng.integers(0, len(right), len(right))].mean()) for _ in range(1000))
    values = {
        "strategy": name,
        "boundary": "none",
        "shots": "all",
        "seed": seed,
        "metric": float(right.mean()),
        "validation": float(right.mean()),
        "labels": 100,
        "draws": draws,
        "seconds": seconds,
        "training_seconds": seconds,
        "trainable_parameters": 1,
        "plan": Plan(name, "logistic", (Solve(),)),
        "stages": ("a", "b"),
    }
    return Trial(**{**values, **more})  # type: ignore[arg-type]


def answers(share: float, samples: int = 400, seed: int = 0) -> np.ndarray:
    return (np.random.default_rng(seed).random(samples) < share).astype(float)


def test_the_interval_of_one_seed_is_that_of_the_binomial() -> None:
    right = answers(0.8)
    low, high = interval(mean_draws([trial("x", right)]))
    exact = stats.binomtest(int(right.sum()), len(right)).proportion_ci(method="wilson")
    assert (low, high) == pytest.approx((exact.low, exact.high), abs=0.01)


def test_the_paired_test_agrees_with_mcnemar() -> None:
    first = answers(0.8)
    second = first.copy()
    second[np.flatnonzero(first == 1)[:24]] = 0
    second[np.flatnonzero(first == 0)[:8]] = 1
    found = paired_difference([trial("a", first)], [trial("b", second)])
    assert found.mean == pytest.approx(first.mean() - second.mean())
    exact = stats.binomtest(8, 32).pvalue
    assert found.p_value == pytest.approx(exact, abs=0.02)
    assert found.low > 0


def test_intervals_cover_the_truth_as_often_as_they_say() -> None:
    hits = 0
    for seed in range(60):
        low, high = interval(mean_draws([trial("x", answers(0.7, 150, seed))]))
        hits += low <= 0.7 <= high
    assert hits >= 52


def test_holm_is_that_of_the_textbook() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_a_power_law_is_found_again() -> None:
    labels = np.array([10.0, 20, 40, 80, 160])
    law = PowerLaw(np.array([0.05]), np.array([0.1]), np.array([0.5]), 160.0)
    found = fit_power_law(labels, np.array([[law(n)[0] for n in labels]]), np.full(5, 0.01))
    assert found(320)[0] == pytest.approx(law(320)[0], abs=0.002)
    assert found.labels_for(np.array([0.10]))[0] == pytest.approx(640, rel=0.1)


def test_a_tie_goes_to_the_cheaper() -> None:
    right = answers(0.8)
    close = right.copy()
    close[:2] = 1 - close[:2]
    groups = {
        "dear": [trial("dear", right, seconds=50, validation=0.9)],
        "cheap": [trial("cheap", close, seconds=1, validation=0.8)],
    }
    verdict = decide(groups, "dear", contests(groups, "dear"))
    assert verdict.strategy == "cheap"
    assert "Tie: take the cheaper" in verdict.reason


def test_a_clear_winner_is_taken_whatever_it_costs() -> None:
    groups = {
        "dear": [trial("dear", answers(0.95), seconds=50)],
        "cheap": [trial("cheap", answers(0.6, seed=1), seconds=1)],
    }
    assert decide(groups, "dear", contests(groups, "dear")).strategy == "dear"


@pytest.fixture(scope="module")
def task() -> Task:
    return few_shot(api.open_task(intents_folder()), 6, seed=0)


def study(task: Task, folder: Path) -> Comparison:
    names = ("feature-extraction", "from-scratch")
    settings = api.Settings(epochs=1, seed=0)
    return compare(task, folder, strategies=names, seeds=2, shots=(2, 4, None), settings=settings)


@pytest.fixture(scope="module")
def found(task: Task, tmp_path_factory: pytest.TempPathFactory) -> tuple[Comparison, Path]:
    folder = tmp_path_factory.mktemp("study")
    return study(task, folder), folder


def test_a_study_tells_gain_verdict_and_curves(found: tuple[Comparison, Path]) -> None:
    study_, folder = found
    assert len(study_.trials) == 12
    assert study_.gain is not None
    assert study_.gain.low > 0.1
    assert study_.verdict.strategy == "feature-extraction"
    assert study_.curves[0].extrapolation is not None
    rows = list(csv.DictReader((folder / "rows.csv").open()))
    assert {row["shots"] for row in rows} == {"2", "4", "all"}
    assert f"{study_.summaries[0].mean:.3f}" in study_._repr_html_()  # in a notebook


def test_half_of_the_trials_lost_gives_the_same_report(
    found: tuple[Comparison, Path], task: Task, tmp_path: Path
) -> None:
    study_ = found[0]
    folder = shutil.copytree(found[1], tmp_path / "study")  # what is run again takes another time, and says so
    files = sorted((folder / "trials").glob("*.json"))
    deterministic = [file for file in files if json.loads(file.read_text())["strategy"] == "feature-extraction"]
    deterministic[0].unlink()
    deterministic[1].write_text("{ damaged")
    again = study(task, folder)
    assert [one.metric for one in again.trials] == [one.metric for one in study_.trials]
    assert [one.draws for one in again.trials] == [one.draws for one in study_.trials]


def test_a_kept_trial_is_found_whatever_else_is_compared(
    found: tuple[Comparison, Path], task: Task, tmp_path: Path
) -> None:
    folder = shutil.copytree(found[1], tmp_path / "study")
    kept = {file.name for file in (folder / "trials").glob("*.json")}
    compare(task, folder, strategies=("feature-extraction",), seeds=2, shots=(2,))
    assert {file.name for file in (folder / "trials").glob("*.json")} == kept


class Outside(HTMLParser):
    """Gathers whatever a page would load from elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.loads: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in {"src", "href", "xlink:href", "action"} and not (value or "").startswith(("#", "data:")):
                self.loads.append(f"{tag} {name}={value}")
        if tag == "script":
            self.loads.append("script")


def test_the_report_needs_nothing_else(found: tuple[Comparison, Path]) -> None:
    text = found[0].report.read_text()
    page = Outside()
    page.feed(text)
    assert page.loads == []
    assert "@import" not in text
    drawings = text.split("<svg")[1:]
    assert len(drawings) >= 4
    for drawing in drawings:
        ET.fromstring("<svg" + drawing.split("</svg>")[0] + "</svg>")  # noqa: S314 - our own text


def test_the_report_says_what_was_compared(found: tuple[Comparison, Path], task: Task) -> None:
    text = found[0].report.read_text()
    for said in (
        "on bundled:minilm.",
        f"{len(task.train)} training",
        "2 seeds",
        "test accuracy</th>",
        "against feature-extraction</th>",
    ):
        assert said in text
    assert f"- {found[0].receipt[0]}\n- " in found[0].report.with_suffix(".md").read_text()  # a list, not one line


def test_names_are_escaped(found: tuple[Comparison, Path], task: Task, tmp_path: Path) -> None:
    study_, _ = found
    evil = replace(task, name="<script>alert(1)</script>", classes=("<img src=x>", *task.classes[1:]))
    findings = Findings(
        evil, "<b>", study_.trials, study_.summaries, study_.contests, study_.verdict, study_.receipt, study_.curves, ()
    )
    text = write_report(tmp_path, findings).read_text()
    assert "<script>" not in text
    assert "<img" not in text


def test_negative_transfer_is_said_loudly() -> None:
    groups = {"lp-ft": [trial("lp-ft", answers(0.5))], "from-scratch": [trial("from-scratch", answers(0.9, seed=1))]}
    assert gain_sentence(transfer_gain(groups, curves_of(list(groups.values())))).startswith("NEGATIVE TRANSFER")


def trained(epochs: int, losses: tuple[float, ...], seconds: float = 1.0) -> dict[str, object]:
    """Plan and steps of a run that tunes everything."""
    steps = tuple(Step(0, number, 1.0, {"loss": loss}, seconds) for number, loss in enumerate(losses))
    return {"plan": Plan("x", "linear", (Train(epochs, (1e-4, 1e-4), 1e-3),)), "steps": steps}


def receipt_of(groups: dict[str, list[Trial]]) -> tuple[TransferGain, str]:
    found = transfer_gain(groups, curves_of(list(groups.values())))
    assert found is not None
    return found, "\n".join(receipt_lines(found, groups))


def test_the_receipt_says_how_often_each_side_was_tried() -> None:
    groups = {
        "feature-extraction": [trial("feature-extraction", answers(0.9))],
        "full-fine-tuning": [trial("full-fine-tuning", answers(0.8, seed=1), **trained(20, (0.5, 0.4)))],
        "from-scratch": [trial("from-scratch", answers(0.5, seed=2), **trained(30, (0.5, 0.6)))],
    }
    gain, told = receipt_of(groups)
    assert (gain.tries.strategies, gain.tries.transferred, gain.tries.scratch) == (2, 11, 1)
    assert "best by validation of 2 strategies with 11 configurations" in told
    assert "transfer had more tries" in told


def test_the_receipt_compares_one_recipe_with_one() -> None:
    whole, scratch = answers(0.8, seed=1), answers(0.5, seed=2)
    groups = {
        "feature-extraction": [trial("feature-extraction", answers(0.9))],
        "full-fine-tuning": [trial("full-fine-tuning", whole, **trained(20, (0.5, 0.4)))],
        "from-scratch": [trial("from-scratch", scratch, **trained(30, (0.5, 0.6)))],
    }
    gain, told = receipt_of(groups)
    assert gain.one_recipe is not None
    assert gain.one_recipe.accuracy == pytest.approx(whole.mean() - scratch.mean())
    assert gain.one_recipe.low < gain.one_recipe.accuracy < gain.one_recipe.high
    assert gain.one_recipe.epochs == (20, 30)
    assert not gain.one_recipe.equal_budget
    assert "the budgets differ, 20 epochs and 30 from scratch" in told
    groups["from-scratch"] = [trial("from-scratch", scratch, **trained(20, (0.5, 0.6)))]
    gain, told = receipt_of(groups)
    assert gain.one_recipe is not None
    assert gain.one_recipe.equal_budget
    assert "each with a budget of 20 epochs" in told


def test_epochs_after_the_best_of_scratch_do_not_make_transfer_look_cheap() -> None:
    slow = trial("from-scratch", answers(0.5, seed=2), seconds=100.0, **trained(10, (0.5, *(0.9,) * 9), seconds=10.0))
    gain, told = receipt_of({"lp-ft": [trial("lp-ft", answers(0.8), seconds=5.0)], "from-scratch": [slow]})
    assert gain.compute_saved == pytest.approx(0.95)
    assert gain.compute_saved_low == pytest.approx(0.5)
    assert "instead of 1 min 40 s from scratch, whose best epoch was done after 10 s" in told


def test_saved_labels_have_an_interval() -> None:
    sizes = {"lp-ft": {25: 0.55, 50: 0.62, 100: 0.8}, "from-scratch": {25: 0.3, 50: 0.4, 100: 0.6}}
    groups = [
        [trial(name, answers(share, 100, size), labels=size)]
        for name, row in sizes.items()
        for size, share in row.items()
    ]
    most = {"lp-ft": groups[2], "from-scratch": groups[5]}
    gain = transfer_gain(most, curves_of(groups))
    assert gain is not None
    assert gain.labels_saved is not None
    assert (gain.labels_saved_low, gain.labels_saved_high) == (0, 75)
    assert gain.labels_saved in {0, 50, 75}
    assert f"{gain.labels_saved} saved, by the sizes that ran (95 % interval 0 to 75)" in "\n".join(
        receipt_lines(gain, most)
    )
