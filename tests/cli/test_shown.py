"""What a person sees at a terminal of 80 columns, and how soon."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from regraft.cli.evaluate import _confusion
from regraft.cli.main import run
from regraft.cli.options import Output, Shared, table

from .conftest import INTENTS, PROBE, refused, shown, write_table


@pytest.fixture(autouse=True)
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")


def test_a_title_is_not_broken_at_the_width_of_its_table(capsys: pytest.CaptureFixture[str]) -> None:
    shared = Shared(sys.stdout, False, False, 0, "auto", None, True)
    Output(shared).result({}, table("a title that is longer than its table", ["a"], [["1"]]))
    assert "a title that is longer than its table" in capsys.readouterr().out


def test_names_of_backbones_are_whole(capsys: pytest.CaptureFixture[str]) -> None:
    out = shown(capsys, "backbones")
    assert all(name in out for name in ("mobilenetv3_large_100", "vit_small_patch16_224", "distilbert-base-uncased"))


def test_a_misspelt_command_is_told_the_right_one(capsys: pytest.CaptureFixture[str]) -> None:
    message = refused(capsys, "evalute", INTENTS)
    assert "did you mean evaluate?" in message
    assert "scenarios" in message


def test_a_misspelt_strategy_is_refused_before_data_are_read(capsys: pytest.CaptureFixture[str]) -> None:
    assert "did you mean lp-ft" in refused(capsys, "fit", "nowhere", "--out", "x", "--strategy", "lpft")


def test_a_data_set_of_the_hub_says_how_to_get_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")  # `--offline` sets it for the process; put back after the test
    assert "hf download --repo-type dataset stanford/dogs" in refused(
        capsys, "inspect", "hf://stanford/dogs:plain", "--offline"
    )


def test_a_dry_run_tells_how_long_a_phase_runs(capsys: pytest.CaptureFixture[str]) -> None:
    out = shown(capsys, "fit", INTENTS, "--strategy", "lp-ft", "--epochs", "7", "--dry-run")
    assert "phase 2: at most 7 epochs in batches of" in out
    assert "program and libraries" in out


def test_one_warning_is_one_warning(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    rows = [(f"message {i} about {'cats' if i < 38 else 'dogs'}", "cats" if i < 38 else "dogs") for i in range(40)]
    data = write_table(tmp_path / "messages.csv", rows)
    assert run(["fit", data, "--dry-run", *PROBE]) == 0
    assert "data: 1 warning; `regraft inspect` tells all" in capsys.readouterr().err


def test_many_classes_are_shown_by_their_mistakes(capsys: pytest.CaptureFixture[str]) -> None:
    classes = [f"class-{number:02}" for number in range(30)]
    counts = [[5 if truth == said else 0 for said in range(30)] for truth in range(30)]
    counts[3][4] = 2
    Output(Shared(sys.stdout, False, False, 0, "auto", None, True)).result({}, _confusion(classes, counts))
    assert capsys.readouterr().out.splitlines()[-1].split() == ["class-03", "class-04", "2"]


def test_inspecting_imports_no_torch() -> None:
    code = (
        f"import sys; from regraft.cli.main import run; run(['inspect', {INTENTS!r}]); sys.exit('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=os.environ)
    assert done.returncode == 0
    assert "text-classification" in done.stdout
