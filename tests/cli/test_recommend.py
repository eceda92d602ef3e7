"""`recommend`, `fit --strategy auto` and `scenarios` as their users see them."""

from pathlib import Path

import click
import pytest
from tests.cli.conftest import INTENTS, SMALL, called, refused, write_pictures

import regraft
from regraft.cli.budget import seconds
from regraft.cli.main import run


def test_recommend_promises(capsys: pytest.CaptureFixture[str]) -> None:
    told = called(capsys, "recommend", INTENTS, "--backbone", "bundled:minilm", "--budget", "5s")
    assert told["recommended"].keys() == {"backbone", "strategy", "boundary", "head", "epochs", "learning_rate"}
    assert told["ranking"][0].keys() >= {"strategy", "boundary", "backbone", "expected", "low", "high", "cost_seconds"}
    assert all(row["low"] <= row["expected"] <= row["high"] for row in told["ranking"])
    assert told["evidence"][0]["measurements"]
    assert told["reasons"]
    assert told["seconds"] > 0
    assert sum(rule["applies"] for rule in told["rules"]) <= 1


def test_recommend_shows_a_table_and_why(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert run(["recommend", write_pictures(tmp_path / "data"), "--backbone", SMALL, "--budget", "2s"]) == 0
    shown = capsys.readouterr().out
    assert "Why:" in shown
    assert "The classical rules:" in shown
    assert f"--backbone {SMALL} --strategy" in shown


def test_two_backbones_are_ranked_together(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    both = ["--backbone", SMALL, "--backbone", "scratch:test_vit"]
    told = called(capsys, "recommend", write_pictures(tmp_path / "data"), *both, "--budget", "20s")
    assert {row["backbone"] for row in told["ranking"]} == {SMALL, "scratch:test_vit"}
    assert len(told["evidence"]) == 2


def test_fit_auto_follows_the_recommendation(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    data, out = write_pictures(tmp_path / "data"), str(tmp_path / "model")
    assert run(["fit", data, "--out", out, "--backbone", SMALL, "--budget", "2s", "--epochs", "1"]) == 0
    said = capsys.readouterr().err
    assert "strategy auto: " in said
    assert "expected to reach" in said


def test_the_command_that_follows_divides_the_data_as_the_advice_did(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    options = ["--backbone", SMALL, "--budget", "2s", "--seed", "7", "--precision", "fp32"]
    assert run(["recommend", write_pictures(tmp_path / "data"), *options]) == 0
    assert "--seed 7 --precision fp32" in " ".join(capsys.readouterr().out.split())


def test_python_fits_the_best_choice(tmp_path: Path) -> None:
    task = regraft.open_task(write_pictures(tmp_path / "data"))
    advice = regraft.recommend(task, SMALL, budget_seconds=2, settings=regraft.Settings(epochs=1))
    for choice in (advice.best, next(one for one in advice.choices if one.strategy == "partial-fine-tuning")):
        plan = regraft.fit(task, choice).run.plan
        assert (plan.strategy, plan.head) == (choice.strategy, choice.head)


@pytest.mark.parametrize(("word", "value"), [("90", 90), ("90s", 90), ("5m", 300), ("1.5h", 5400), ("1h30m", 5400)])
def test_a_budget_is_written_in_the_usual_ways(word: str, value: float) -> None:
    context = click.Context(click.Command("recommend"))
    assert seconds(context, click.Option(["--budget"]), word) == value


def test_a_budget_that_is_none_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    for word in ("soon", "0", "-5m", ""):
        assert "give one such as 90s, 5m or 1h" in refused(capsys, "recommend", INTENTS, f"--budget={word}")


def test_scenarios_grade_answers(capsys: pytest.CaptureFixture[str]) -> None:
    told = called(capsys, "scenarios", "--stored", "--answer", "2=c", "--answer", "3=a")
    assert [one["right"] for one in told["scenarios"]] == [True, False]
    assert (told["right"], told["asked"]) == (1, 2)
    assert all(one["why"] and one["source"] for one in told["scenarios"])


def test_scenarios_without_answers_show_all_of_them(capsys: pytest.CaptureFixture[str]) -> None:
    told = called(capsys, "scenarios")
    assert len(told["scenarios"]) == 8
    assert all(one["answer"] is None and one["right_choices"] for one in told["scenarios"])


def test_a_wrong_answer_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert "such as 1=b" in refused(capsys, "scenarios", "--answer", "flowers")
