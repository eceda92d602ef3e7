"""An interrupted run ends with the bits of an uninterrupted one, whatever its objective."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from regraft.core import ModelError, OptionError
from regraft.pretraining.call import OBJECTIVES, ObjectiveName
from regraft.pretraining.log import read_log
from regraft.pretraining.pretrain import RUN_FOLDER, pretrain_call

from . import small_runs

WEIGHTS = "model.safetensors"


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs of all objectives, each killed at its sixth step."""
    folder = tmp_path_factory.mktemp("killed")
    environment = {**os.environ, "REGRAFT_CACHE": str(folder / "cache")}
    subprocess.run([sys.executable, small_runs.__file__, str(folder)], check=True, env=environment)
    return folder


def told(folder: Path) -> list[dict[str, Any]]:
    """The log without what a clock says."""
    return [{key: value for key, value in line.items() if "second" not in key} for line in read_log(folder)]


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_a_killed_and_resumed_run_has_the_bits_of_an_uninterrupted_one(
    objective: ObjectiveName, killed: Path, tmp_path: Path
) -> None:
    assert [line["step"] for line in told(killed / objective / RUN_FOLDER)] == [2, 4, 6]
    resumed = small_runs.run(objective, killed, resume=True)
    whole = small_runs.run(objective, tmp_path)
    assert (resumed.folder / WEIGHTS).read_bytes() == (whole.folder / WEIGHTS).read_bytes()
    assert told(resumed.folder) == told(whole.folder)
    assert not (resumed.folder / RUN_FOLDER).exists()


def test_a_run_is_not_resumed_with_another_recipe(tmp_path: Path) -> None:
    data = small_runs.texts(tmp_path / "data")

    class StoppedError(Exception):
        pass

    def stop(report: object) -> None:
        if report.step == 4:  # type: ignore[attr-defined]
            raise StoppedError

    options: dict[str, Any] = {"device": "cpu", "every_seconds": 0, "report_steps": 2}
    with pytest.raises(StoppedError):
        pretrain_call(small_runs.call_of("clm", data), tmp_path / "out", on_report=stop, **options)
    with pytest.raises(ModelError, match="--resume"):
        pretrain_call(small_runs.call_of("clm", data), tmp_path / "out", **options)
    with pytest.raises(OptionError, match="another recipe"):
        pretrain_call(small_runs.call_of("clm", data, seed=1), tmp_path / "out", resume=True, **options)
    assert json.loads((tmp_path / "out" / RUN_FOLDER / "tokenizer" / "tokenizer.json").read_text())
