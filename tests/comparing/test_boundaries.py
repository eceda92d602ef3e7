"""A strategy at several boundaries stands side by side, and no boundary is left out without a word."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from regraft import api
from regraft.cli.main import regraft, run
from regraft.comparing import compare
from regraft.core import OptionError, Task
from regraft.demo import intents_folder
from regraft.strategies.applying import Arm
from regraft.tasks import few_shot


@pytest.fixture(scope="module")
def task() -> Task:
    return few_shot(api.open_task(intents_folder()), 4, seed=0)


def test_probes_of_several_depths_stand_side_by_side(task: Task, tmp_path: Path) -> None:
    names = ("feature-extraction", "feature-extraction@all", "feature-extraction@layer.2")
    found = compare(task, tmp_path, strategies=names, seeds=2)
    assert [row.strategy for row in found.summaries] == list(names)
    assert [one.boundary for one in found.trials[:3]] == ["layer.5", "all", "layer.2"]
    assert len({one.draws for one in found.trials[:3]}) == 3
    assert {found.verdict.strategy, *(row.strategy for row in found.contests)} <= set(names)
    again = compare(task, tmp_path, strategies=names[:1], seeds=2, settings=api.Settings(boundary="all"))
    assert again.trials[0].draws == found.trials[1].draws  # the same plan by another name, kept
    assert again.trials[0].strategy == "feature-extraction"


def test_a_boundary_for_all_is_taken_by_a_probe_too(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    call = ["compare", str(intents_folder()), "--out", str(tmp_path), "--shots", "2", "--seeds", "1", "--json"]
    assert run([*call, "--strategies", "feature-extraction", "--boundary", "all"]) == 0
    assert [row["boundary"] for row in json.loads(capsys.readouterr().out)["rows"]] == ["all"]


@pytest.mark.parametrize(
    ("names", "boundary", "said"),
    [
        (["lora@"], None, "name a boundary after the @"),
        (["probe@all"], None, "--strategies probe"),
        (["full-fine-tuning@layer.2"], None, "nothing is frozen"),
        (["partial-fine-tuning@nowhere"], None, "nowhere"),
        (["feature-extraction@all"], "layer.2", "--boundary: none of feature-extraction@all has a use for it"),
    ],
)
def test_a_boundary_that_nothing_can_use_is_refused(
    names: list[str], boundary: str | None, said: str, task: Task, tmp_path: Path
) -> None:
    with pytest.raises(OptionError, match=said):
        compare(task, tmp_path / "out", strategies=names, settings=api.Settings(boundary=boundary))
    assert not (tmp_path / "out").exists()


def test_an_arm_is_read_as_it_is_written() -> None:
    for name in ("lp-ft", "partial-fine-tuning@60%", "feature-extraction@all"):
        assert Arm.named(name).name == name


def test_the_help_says_how_a_boundary_is_named() -> None:
    assert "feature-extraction@all" in CliRunner().invoke(regraft, ["compare", "--help"]).output
