"""The command line as its users and other programs see it."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from regraft.api import Settings

from .conftest import INTENTS, called, refused, write_table


def test_inspect_promises(capsys: pytest.CaptureFixture[str]) -> None:
    found = called(capsys, "inspect", INTENTS)
    assert found.keys() == {"kind", "classes", "counts", "splits", "problems"}
    assert (found["kind"], len(found["classes"]), found["splits"]["test"]) == ("text-classification", 8, 96)


def test_inspect_tells_of_problems(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = write_table(tmp_path / "data.csv", [("one and two", "a"), ("three", "b"), ("", "b"), ("four", "a")])
    (problem, *_) = called(capsys, "inspect", file)["problems"]
    assert problem.keys() == {"severity", "code", "message", "items"}
    assert (problem["severity"], problem["code"], problem["items"]) == ("error", "empty-text", [f"{file}:4"])


def test_backbones_promises(capsys: pytest.CaptureFixture[str]) -> None:
    first = called(capsys, "backbones", "--available")["backbones"][0]
    assert first.keys() == {"name", "kind", "parameters", "stages", "license", "source", "available"}


def test_fit_promises(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    told = called(capsys, "fit", INTENTS, "--out", str(tmp_path / "m"), "--strategy", "feature-extraction")
    assert told.keys() >= {"samples", "seconds", "model"}
    assert told["samples"] == {"train": 128, "validation": 32, "test": 96}
    assert told["metrics"].keys() == {"validation", "test"}
    assert (told["strategy"], told["boundary"], told["backbone"]) == ("feature-extraction", "layer.5", "bundled:minilm")
    assert told["metrics"]["test"]["accuracy"] > 0.6
    assert told["trainable_parameters"] == 8 * 385
    assert told["total_parameters"] > 22_000_000
    assert told["seconds"].keys() == {"total", "features", "training"}
    assert told["seconds"]["total"] >= told["seconds"]["features"] + told["seconds"]["training"]
    assert Path(told["model"], "model.json").exists()


def test_a_dry_run_trains_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    rows = called(capsys, "fit", INTENTS, "--dry-run", "--strategy", "partial-fine-tuning", "--boundary", "60%")[
        "table"
    ]
    assert [row["trains"] for row in rows] == ["frozen"] * 4 + ["yes"] * 4
    rates = [float(row["rate"]) for row in rows[4:7]]
    assert rates == sorted(rates)


def test_a_model_predicts_the_same_in_a_fresh_process(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    texts = ["where is my parcel", "my card was declined twice"]
    here = called(capsys, "predict", str(model), *texts)["predictions"]
    assert all(one.keys() == {"input", "label", "score", "scores"} for one in here)
    assert [one["score"] for one in here] == [max(one["scores"].values()) for one in here]
    code = [sys.executable, "-m", "regraft.cli", "predict", str(model), "-", "--json"]
    there = json.loads(subprocess.run(code, input="\n".join(texts), capture_output=True, text=True, check=True).stdout)
    assert [one["scores"] for one in here] == [one["scores"] for one in there["predictions"]]
    assert [one["label"] for one in here] == ["delivery_status", "payment_problem"]
    assert sum(here[0]["scores"].values()) == pytest.approx(1)


def test_evaluate_promises(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = called(capsys, "evaluate", str(model), INTENTS)
    saved = json.loads((model / "model.json").read_text())["results"]["test"]
    assert told.keys() >= {"metrics", "intervals", "confusion", "calibration", "forgetting"}
    assert (told["resampled"], told["split"], told["samples"], told["notes"]) == ("samples", "test", 96, [])
    assert told["metrics"]["accuracy"] == pytest.approx(saved["accuracy"], abs=0.011)
    assert sum(map(sum, told["confusion"]["counts"])) == 96
    assert told["intervals"].keys() <= told["metrics"].keys()
    low, high = told["intervals"]["accuracy"]
    assert low <= told["metrics"]["accuracy"] <= high


def test_compare_promises_and_goes_on_where_it_stopped(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    call = ("compare", INTENTS, "--out", str(tmp_path), "--strategies", "feature-extraction", "--seeds", "2")
    first = called(capsys, *call, "--shots", "2,4")
    assert first.keys() >= {"rows", "summary", "transfer_gain", "report"}
    assert first["summary"][0].keys() >= {"strategy", "mean", "low", "high"}
    assert {"strategy", "boundary", "shots", "seed", "metric", "seconds", "trainable_parameters"} == first["rows"][
        0
    ].keys()
    assert len(first["rows"]) == 4
    assert Path(first["report"]).exists()
    files = {file: file.stat().st_mtime_ns for file in (tmp_path / "trials").iterdir()}
    assert called(capsys, *call, "--shots", "2,4")["rows"] == first["rows"]
    assert {file: file.stat().st_mtime_ns for file in (tmp_path / "trials").iterdir()} == files


def test_demo_promises(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from regraft import comparing

    whole = comparing.compare
    short = {"shots": (2,), "seeds": 1}  # the whole demo takes a minute

    def few(*arguments: Any, settings: Settings, **options: Any) -> comparing.Comparison:
        return whole(*arguments, **{**options, **short}, settings=replace(settings, epochs=1))

    monkeypatch.setattr(comparing, "compare", few)
    told = called(capsys, "demo", "--out", str(tmp_path / "demo"))
    assert told.keys() == {"tasks", "report", "seconds"}
    assert [task["name"] for task in told["tasks"]] == ["intents", "digits", "photographs"]
    for task in told["tasks"]:
        assert task.keys() == {"name", "recommended", "fit", "scratch", "transfer_gain"}
        assert task["name"] in Path(told["report"]).read_text()
    assert Path(told["report"]).exists()


@pytest.mark.parametrize("command", ["inspect", "fit", "compare", "backbones"])
def test_what_libraries_print_is_no_result(
    command: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from regraft import backbones, tasks

    def loud(function: Callable[..., Any]) -> Callable[..., Any]:
        def printing(*arguments: Any, **options: Any) -> Any:
            print("Downloading 100 %")
            sys.stdout.write("{}")
            return function(*arguments, **options)

        return printing

    monkeypatch.setattr(tasks, "inspect_data", loud(tasks.inspect_data))
    monkeypatch.setattr(tasks, "open_task", loud(tasks.open_task))
    monkeypatch.setattr(backbones, "list_backbones", loud(backbones.list_backbones))
    more = {
        "fit": ["--dry-run", "--strategy", "feature-extraction"],
        "compare": ["--out", str(tmp_path), "--strategies", "feature-extraction"],
    }
    data = [] if command == "backbones" else [INTENTS]
    few = ["--shots", "2", "--seeds", "1"] if command == "compare" else []
    assert called(capsys, command, *data, *more.get(command, []), *few)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["fit", INTENTS], "--out is missing"),
        (["fit", INTENTS, "--out", "x", "--strategy", "full-fine-tuning", "--boundary", "layer.2"], "--boundary"),
        (["fit", INTENTS, "--out", "x", "--strategy", "feature-extraction", "--epochs", "3"], "--epochs"),
        (["fit", INTENTS, "--out", "x", "--backbone", "resnet81"], "did you mean"),
        (["fit", INTENTS, "--out", INTENTS], "name a new folder"),
        (["nonsense"], "nonsense"),
    ],
)
def test_bad_calls_are_one_line(
    arguments: list[str],
    named: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert named in refused(capsys, *arguments)
    assert not (tmp_path / "x").exists()


def test_an_existing_model_is_not_overwritten(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "already holds a model" in refused(capsys, "fit", INTENTS, "--out", str(model))


def test_help_imports_no_torch() -> None:
    code = "import sys; from regraft.cli.main import run; run(['--help']); sys.exit('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=os.environ)
    assert done.returncode == 0
    assert "predict" in done.stdout
