"""What `auto` chose is what an interrupted run goes on with."""

from dataclasses import replace
from pathlib import Path

import pytest

from regraft import api
from regraft.core import Choice, OptionError, Recommendation
from regraft.demo import intents_folder
from regraft.preparing import Prepared, keep_choice, kept_choice
from regraft.strategies import Settings
from regraft.tasks import few_shot, open_task

CHOICE = Choice("lp-ft", "bundled:minilm", "none", "linear", 3, 1e-4, 0.9, 0.8, 0.95, 12.0, ("because",))


@pytest.fixture(scope="module")
def prepared() -> Prepared:
    task = few_shot(open_task(intents_folder()), 2, seed=0)
    found = api.prepare(task, CHOICE, settings=Settings(seed=3))
    return replace(found, advice=Recommendation("accuracy", (CHOICE,), (), (), (), 1.0))


def test_a_resumed_run_takes_what_was_chosen_before(prepared: Prepared, tmp_path: Path) -> None:
    assert api.chosen_before(tmp_path, "auto", Settings(seed=3)) == "auto"
    keep_choice(prepared, tmp_path / api.RUN_FOLDER)
    assert api.chosen_before(tmp_path, "auto", Settings(seed=3)) == CHOICE
    assert api.chosen_before(tmp_path, "lora", Settings(seed=3)) == "lora"


def test_other_options_than_the_run_was_begun_with_are_refused(prepared: Prepared, tmp_path: Path) -> None:
    keep_choice(prepared, tmp_path)
    with pytest.raises(OptionError, match="other options"):
        kept_choice(tmp_path, Settings(seed=3, epochs=9))
