"""`regraft probe`: the promised keys, the report, and what it refuses."""

from pathlib import Path

import pytest

from .conftest import INTENTS, SMALL, called, refused, write_pictures


def test_probe_tells_every_stage_and_writes_its_report(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    data, out = write_pictures(tmp_path / "data"), tmp_path / "out"
    told = called(capsys, "probe", data, "--backbone", SMALL, "--out", str(out), "--pictures", "6", "--quiet")
    assert Path(told["report"]) == out / "report.html"
    assert Path(told["report"]).is_file()
    keys = {"name", "probe_accuracy", "low", "high", "transferability", "similarity_to_last"}
    assert all(keys <= set(stage) for stage in told["stages"])
    assert told["stages"][-1]["similarity_to_last"] == pytest.approx(1)


def test_probe_refuses_a_backbone_that_reads_something_else(capsys: pytest.CaptureFixture[str]) -> None:
    assert "reads pictures" in refused(capsys, "probe", INTENTS, "--backbone", SMALL)


def test_probe_refuses_a_folder_that_cannot_be(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "--out" in refused(capsys, "probe", INTENTS, "--out", str(tmp_path / "file" / "below"))
