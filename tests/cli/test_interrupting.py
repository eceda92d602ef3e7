"""Ctrl-C: exit code 130, one line that says how to go on, and a resumed run with the bits of a whole one."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors import safe_open

from regraft.cli.main import run

from .conftest import SMALL, write_pictures

EPOCHS = "25"  # longer than it takes a busy machine to see the first checkpoint and to press Ctrl-C


def weights(model: Path) -> dict[str, bytes]:
    return {str(file.relative_to(model)): file.read_bytes() for file in model.rglob("*.safetensors")}


def interrupted(call: list[str], checkpoint: Path) -> tuple[int, str, str]:
    """Start a command, press Ctrl-C as soon as its checkpoint is there, and return how it ended."""
    environment = {**os.environ, "OMP_NUM_THREADS": str(torch.get_num_threads())}
    command = [sys.executable, "-m", "regraft.cli", *call]
    # A session of its own, and SIGINT as at a terminal: in the background of a shell script it would be ignored.
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - no threads of our own
    ) as process:
        end = time.monotonic() + 180
        while not checkpoint.exists() and process.poll() is None and time.monotonic() < end:
            time.sleep(0.01)
        assert process.poll() is None, "it ended before it could be interrupted"
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=180)
    return process.returncode, out, err


def test_an_interrupted_fit_resumes_to_the_same_bits(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data, cut, whole = write_pictures(tmp_path / "data"), tmp_path / "cut", tmp_path / "whole"
    # Without patience: to stop early might be to stop before Ctrl-C.
    options = ["--strategy", "full-fine-tuning", "--backbone", SMALL, "--epochs", EPOCHS, "--patience", "0", "--json"]
    checkpoint = cut / "run" / "checkpoint.safetensors"

    code, out, err = interrupted(["fit", data, "--out", str(cut), *options], checkpoint)
    assert code == 130
    assert out == ""
    assert "Traceback" not in err
    assert err.splitlines()[-1].startswith("regraft: interrupted")
    assert "--resume" in err.splitlines()[-1]
    with safe_open(checkpoint, framework="pt") as opened:
        assert 1 <= json.loads(opened.metadata()["position"])["epoch"] < int(EPOCHS)
    assert [one.name for one in cut.iterdir()] == ["run"]

    assert run(["fit", data, "--out", str(cut), *options]) == 2
    assert "--resume" in capsys.readouterr().err
    assert run(["fit", data, "--out", str(cut), *options, "--resume"]) == 0
    assert run(["fit", data, "--out", str(whole), *options]) == 0
    assert weights(cut) == weights(whole)
    assert {one.name for one in cut.iterdir()} == {one.name for one in whole.iterdir()}


def test_an_interrupt_is_told_without_a_traceback(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from regraft import api, tasks

    def stop(*arguments: object, **options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(tasks, "open_task", stop)
    monkeypatch.setattr(api, "load", stop)
    told = {}
    for command, arguments in (("fit", ["x"]), ("compare", ["x"]), ("evaluate", ["m", "x"])):
        out = [] if command == "evaluate" else ["--out", str(tmp_path / "out")]
        assert run([command, *arguments, *out]) == 130
        captured = capsys.readouterr()
        assert captured.out == ""
        (told[command],) = captured.err.split("\n")[1:-1]  # the first line is left to the terminal's ^C
    assert "--resume" in told["fit"]
    assert "same command again" in told["compare"]
    assert told["evaluate"] == "regraft: interrupted"
