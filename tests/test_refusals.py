"""Calls that are refused before anything is computed or left behind."""

import json
from pathlib import Path

import pytest

from regraft import api, comparing, demo
from regraft.core import DataError, ModelError, OptionError
from regraft.inputs import samples_from
from regraft.model import load
from regraft.running import resolve_device

MESSAGES = Path(demo.__file__).parent / "intents"


def test_what_a_killed_save_left_does_not_prevent_resuming(tmp_path: Path) -> None:
    for name in ("run", "backbone", ".draft-abc"):
        (tmp_path / name).mkdir()
    assert api.check_out(tmp_path, resume=True) == tmp_path / "run"


def test_a_file_on_the_way_to_out_is_named(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("x")
    with pytest.raises(ModelError, match="is a file"):
        api.check_out(file / "model", resume=False)


@pytest.mark.parametrize("content", [[], {"format": 1}])
def test_a_damaged_description_is_named(content: object, tmp_path: Path) -> None:
    (tmp_path / "model.json").write_text(json.dumps(content))
    with pytest.raises(ModelError, match=r"model\.json"):
        load(tmp_path)


def test_a_device_without_arithmetic_is_refused() -> None:
    with pytest.raises(OptionError, match="meta"):
        resolve_device("meta")


def test_a_numbered_processor_is_the_processor() -> None:
    assert resolve_device("cpu:0") == "cpu"
    with pytest.raises(OptionError, match="cpu:x"):
        resolve_device("cpu:x")


def test_a_missing_list_of_texts_is_not_taken_for_a_text() -> None:
    with pytest.raises(DataError, match="no such file"):
        samples_from(["messages.txt"], [], "text-classification")


@pytest.mark.parametrize("wrong", [{"learning_rate": float("nan")}, {"learning_rate": 0.0}, {"epochs": 0}])
def test_settings_that_nothing_can_use_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(OptionError, match="give"):
        api.Settings(**wrong)  # type: ignore[arg-type]


def test_a_wrong_comparison_leaves_no_folder(tmp_path: Path) -> None:
    settings = api.Settings(boundary="nowhere")
    with pytest.raises(OptionError, match="nowhere"):
        comparing.compare(
            api.open_task(MESSAGES), tmp_path / "out", strategies=["partial-fine-tuning"], settings=settings
        )
    assert not (tmp_path / "out").exists()
