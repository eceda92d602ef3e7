"""The command line as its users and other programs see it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from regraft.cli.main import run
from regraft.demo import intents_folder

INTENTS = str(intents_folder())


def called(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict:
    """The JSON object that a command prints, which must be all that stands on stdout."""
    code = run([*arguments, "--json"])
    captured = capsys.readouterr()
    assert code == 0, captured.err
    return json.loads(captured.out)


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert run(list(arguments)) == 2
    captured = capsys.readouterr()
    assert "Traceback" not in captured.err
    (message,) = [line for line in captured.err.splitlines() if line.startswith("regraft: ")]
    return message


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "intents"
    assert run(["fit", INTENTS, "--out", str(folder), "--quiet"]) == 0
    return folder


def test_inspect_promises(capsys: pytest.CaptureFixture[str]) -> None:
    found = called(capsys, "inspect", INTENTS)
    assert {"kind", "classes", "counts", "splits", "problems"} <= found.keys()
    assert (found["kind"], len(found["classes"]), found["splits"]["test"]) == ("text-classification", 8, 96)


def test_backbones_promises(capsys: pytest.CaptureFixture[str]) -> None:
    first = called(capsys, "backbones", "--available")["backbones"][0]
    assert first.keys() == {"name", "kind", "parameters", "stages", "license", "source", "available"}


def test_fit_promises(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    told = called(capsys, "fit", INTENTS, "--out", str(tmp_path / "m"), "--strategy", "feature-extraction")
    assert (told["strategy"], told["boundary"], told["backbone"]) == ("feature-extraction", "layer.5", "bundled:minilm")
    assert told["metrics"]["test"]["accuracy"] > 0.6
    assert told["trainable_parameters"] == 8 * 385
    assert told["total_parameters"] > 22_000_000
    assert told["seconds"].keys() == {"total", "features", "training"}
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
    code = [sys.executable, "-m", "regraft.cli", "predict", str(model), "-", "--json"]
    there = json.loads(subprocess.run(code, input="\n".join(texts), capture_output=True, text=True, check=True).stdout)
    assert [one["scores"] for one in here] == [one["scores"] for one in there["predictions"]]
    assert [one["label"] for one in here] == ["delivery_status", "payment_problem"]
    assert sum(here[0]["scores"].values()) == pytest.approx(1)


def test_evaluate_promises(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = called(capsys, "evaluate", str(model), INTENTS)
    saved = json.loads((model / "model.json").read_text())["results"]["test"]
    assert told.keys() == {"metrics", "intervals", "confusion", "calibration", "forgetting"}
    assert told["metrics"]["accuracy"] == pytest.approx(saved["accuracy"], abs=0.011)
    assert sum(map(sum, told["confusion"]["counts"])) == 96


def test_compare_promises_and_goes_on_where_it_stopped(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    call = ("compare", INTENTS, "--out", str(tmp_path), "--strategies", "feature-extraction", "--seeds", "2")
    first = called(capsys, *call, "--shots", "2,4")
    assert {"strategy", "boundary", "shots", "seed", "metric", "seconds", "trainable_parameters"} == first["rows"][
        0
    ].keys()
    assert len(first["rows"]) == 4
    assert Path(first["report"]).exists()
    files = {file: file.stat().st_mtime_ns for file in (tmp_path / "trials").iterdir()}
    assert called(capsys, *call, "--shots", "2,4")["rows"] == first["rows"]
    assert {file: file.stat().st_mtime_ns for file in (tmp_path / "trials").iterdir()} == files


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["inspect", "nowhere"], "nowhere"),
        (["fit", INTENTS], "--out"),
        (["fit", INTENTS, "--out", "x", "--strategy", "partial-finetuning"], "did you mean partial-fine-tuning"),
        (["fit", INTENTS, "--out", "x", "--strategy", "full-fine-tuning", "--boundary", "layer.2"], "--boundary"),
        (["fit", INTENTS, "--out", "x", "--strategy", "partial-fine-tuning", "--boundary", "layer9"], "layer.5"),
        (["fit", INTENTS, "--out", "x", "--epochs", "3"], "--epochs"),
        (["fit", INTENTS, "--out", "x", "--backbone", "resnet81"], "did you mean"),
        (["fit", INTENTS, "--out", "x", "--lr", "-1"], "--lr"),
        (["fit", INTENTS, "--out", "x", "--device", "tpu9"], "--device"),
        (["fit", INTENTS, "--out", INTENTS], "name a new folder"),
        (["evaluate", "nowhere", INTENTS], "model.json"),
        (["predict", "nowhere", "text"], "model.json"),
        (["compare", INTENTS, "--out", "x", "--shots", "0"], "--shots"),
        (["compare", INTENTS, "--out", "x", "--strategies", "magic"], "--strategy"),
        (["nonsense"], "nonsense"),
    ],
)
def test_bad_calls_are_one_line_and_leave_nothing(
    arguments: list[str],
    named: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert named in refused(capsys, *arguments)
    assert not any((tmp_path / "x").rglob("model.json"))


def test_a_damaged_model_is_one_line(model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import shutil

    shutil.copytree(model, tmp_path / "m")
    (tmp_path / "m" / "head.safetensors").write_bytes(b"nonsense")
    assert "head.safetensors" in refused(capsys, "predict", str(tmp_path / "m"), "hello")


def test_an_existing_model_is_not_overwritten(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "already holds a model" in refused(capsys, "fit", INTENTS, "--out", str(model))


def test_help_imports_no_torch() -> None:
    code = "import sys; from regraft.cli.main import run; run(['--help']); sys.exit('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=os.environ)
    assert done.returncode == 0
    assert "predict" in done.stdout
