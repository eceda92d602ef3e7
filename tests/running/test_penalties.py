"""What a penalty says of a trunk that has not moved."""

from pathlib import Path

import pytest
import torch

from regraft.activations.store import ActivationStore
from regraft.backbones import load_backbone
from regraft.backbones.contract import Backbone
from regraft.backbones.scratch import copied
from regraft.core import Penalty, Task, Train
from regraft.heads import build_head
from regraft.running import expected_memory
from regraft.running.batches import Supply
from regraft.running.loop import Network
from regraft.running.penalties import build_keeper
from regraft.strategies import Settings, strategy_named
from regraft.tasks import few_shot, open_task

from .conftest import small_vision


def first_penalty(backbone: Backbone, task: Task, frozen: int, cache: Path, *, low_precision: bool = False) -> float:
    """LwF of the first augmented batch, before any step."""
    rates = tuple(1e-3 * (stage >= frozen) for stage in range(len(backbone.outline)))
    phase = Train(epochs=1, rates=rates, head_rate=1e-2, augment=True, views=1)
    supply = Supply(backbone, ActivationStore(cache), "cpu", "fp32", 0, None, [])
    keeper = build_keeper(Penalty("lwf", 1.0), backbone, task.train, supply)
    source, rows = supply.source(task.train, phase, training=True), list(range(8))
    head = build_head("linear", backbone.outline.stages[-1].width, len(task.classes), 0)
    network = Network(backbone, head, "cpu", low_precision=low_precision, chunk=8)
    keeper.begin(network.last_state, phase, [rows], 0)
    (state,) = source.batches([rows], 0)
    return float(keeper.loss(rows, state, source.start, network.last_state(state, source.start, frozen)).detach())


@pytest.mark.parametrize("frozen", [0, 2])
def test_lwf_of_an_unmoved_trunk_is_nothing_on_augmented_views(frozen: int, pictures: Task, tmp_path: Path) -> None:
    assert first_penalty(small_vision(), pictures, frozen, tmp_path) == pytest.approx(0, abs=1e-4)


def test_lwf_in_bf16_reads_trunks_that_have_layers_behind_their_last_stage(pictures: Task, tmp_path: Path) -> None:
    trunk = load_backbone("scratch:mobilenetv3_small_050", offline=True)
    assert first_penalty(trunk, pictures, 0, tmp_path, low_precision=True) == pytest.approx(0, abs=1e-2)


def test_lwf_through_the_original_head_is_nothing_at_first(shared: Path, tmp_path: Path) -> None:
    backbone = load_backbone(str(shared / "models" / "mobilenetv2_100.imagenet"))
    task = few_shot(open_task(shared / "data" / "vision" / "blood_cells"), 2, seed=0)
    assert first_penalty(backbone, task, 0, tmp_path) == pytest.approx(0, abs=1e-4)


def test_a_copy_stays_when_the_trunk_moves() -> None:
    trunk = small_vision()
    copy, start = copied(trunk), {name: one.clone() for name, one in trunk.module.state_dict().items()}
    with torch.no_grad():
        for one in trunk.module.parameters():
            one.add_(1.0)
    assert all(torch.equal(one, start[name]) for name, one in copy.module.state_dict().items())


def test_the_copy_is_in_the_memory_that_is_stated(pictures: Task) -> None:
    trunk = small_vision()
    plain, held = (
        expected_memory(
            strategy_named("full-fine-tuning").plan(trunk.outline, pictures.summary(), one), trunk, pictures
        )
        for one in (Settings(), Settings(penalty="lwf"))
    )
    assert held.training - plain.training == 4 * trunk.outline.parameters
