"""Several processes share a batch, and learn what one learns."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from regraft.pretraining.processes import Processes

from . import small_runs

# No dropout, whose masks depend on how a batch is divided.
STILL = "hidden_dropout_prob=0.0,attention_probs_dropout_prob=0.0"
SMALL = f"bert:num_hidden_layers=1,hidden_size=32,num_attention_heads=2,intermediate_size=64,{STILL}"


def test_parts_of_a_batch_are_the_batch() -> None:
    parts = [Processes(index, 3, "cpu").part(10) for index in range(3)]
    assert [row for part in parts for row in range(10)[part]] == list(range(10))


@pytest.mark.slow
def test_two_processes_learn_what_one_learns(tmp_path: Path) -> None:
    data = str(small_runs.texts(tmp_path / "data"))
    told = []
    for count in (1, 2):
        out = tmp_path / f"net{count}"
        launch = ["-m", "torch.distributed.run", "--nproc_per_node", str(count), "--master_port", "29533"]
        options = ["--objective", "mlm", "--architecture", SMALL, "--length", "16", "--batch-size", "8", "--json"]
        done = subprocess.run(
            [
                sys.executable,
                *launch,
                "-m",
                "regraft.cli",
                "pretrain",
                data,
                "--out",
                str(out),
                *options,
                "--device",
                "cpu",
            ],
            capture_output=True,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
        assert done.returncode == 0, done.stderr
        told.append(json.loads(done.stdout))
    one, two = told
    assert two["steps"] == one["steps"]
    assert two["loss"] == pytest.approx(one["loss"], rel=1e-3)
    assert two["metrics"]["loss"] == pytest.approx(one["metrics"]["loss"], rel=1e-3)
