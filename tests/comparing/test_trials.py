"""What a kept trial belongs to, and what it remembers."""

from pathlib import Path

import pytest

from regraft import api
from regraft.backbones import load_backbone
from regraft.comparing import trials
from regraft.comparing.parts import parts_of
from regraft.comparing.trials import Bench
from regraft.core import Task
from regraft.demo import intents_folder
from regraft.tasks import few_shot


@pytest.fixture(scope="module")
def task() -> Task:
    return few_shot(api.open_task(intents_folder()), 2, seed=0)


def test_a_trial_is_kept_for_its_device(task: Task, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trunk = load_backbone("bundled:minilm")
    bench = Bench("bundled:minilm", trunk.outline, trunk.passport, api.Settings(), api.Resources(), tmp_path)
    ((part,),), _ = parts_of(task, (None,), (0,))
    names = []
    for device in ("cpu", "cuda:0", "cuda:1"):  # which of them there are is not asked here
        monkeypatch.setattr(trials, "resolve_device", lambda _, device=device: device)
        names.append(bench.file("lp-ft", part).name)
    assert len(set(names)) == 3
