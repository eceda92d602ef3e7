"""The memory that is stated before a run is what it needs, and grows with what makes it grow."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from regraft import api
from regraft.backbones import load_backbone
from regraft.backbones.contract import Backbone
from regraft.core import Plan, Task
from regraft.demo import intents_folder
from regraft.running import expected_memory
from regraft.strategies import Settings, strategy_named


@pytest.fixture(scope="module")
def backbone() -> Backbone:
    return load_backbone("bundled:minilm")


@pytest.fixture(scope="module")
def task() -> Task:
    return api.open_task(intents_folder())


def plan(strategy: str, backbone: Backbone, task: Task, **settings: object) -> Plan:
    return strategy_named(strategy).plan(backbone.outline, task.summary(), Settings(**settings))


def test_training_needs_its_copies_of_the_weights(backbone: Backbone, task: Task) -> None:
    full = expected_memory(plan("full-fine-tuning", backbone, task), backbone, task)
    part = expected_memory(plan("partial-fine-tuning", backbone, task, boundary="layer.4"), backbone, task)
    none = expected_memory(plan("feature-extraction", backbone, task), backbone, task)
    assert full.training > 10 * 4 * backbone.outline.parameters
    assert full.training > part.training > none.training == 0


def test_larger_batches_need_more(backbone: Backbone, task: Task) -> None:
    small, large = (
        expected_memory(plan("full-fine-tuning", backbone, task, batch_size=size), backbone, task) for size in (8, 64)
    )
    assert large.training > small.training


def test_features_grow_with_the_samples_and_nothing_else_does(backbone: Backbone, task: Task) -> None:
    twice = replace(task.train, samples=task.train.samples * 2, targets=task.train.targets * 2)
    more = replace(task, splits={**task.splits, "train": twice})
    written = plan("feature-extraction", backbone, task)
    first, second = (expected_memory(written, backbone, one) for one in (task, more))
    assert second.features > first.features
    assert (second.frozen, second.training) == (first.frozen, first.training)


@pytest.mark.slow
@pytest.mark.parametrize("strategy", ["feature-extraction", "full-fine-tuning"])
def test_a_run_keeps_to_what_was_stated(strategy: str, tmp_path: Path) -> None:
    epochs = [] if strategy == "feature-extraction" else ["--epochs", "1"]
    command = ["fit", str(intents_folder()), "--out", str(tmp_path / "m"), "--strategy", strategy, *epochs, "--json"]
    done = subprocess.run([sys.executable, "-m", "regraft.cli", *command], capture_output=True, text=True, check=True)
    memory = json.loads(done.stdout)["memory"]
    assert memory["expected_mb"] / 2 < memory["peak_mb"] <= memory["expected_mb"]
