"""The freeze contract, on every family and in every BatchNorm mode."""

from pathlib import Path

import pytest
import torch

from regraft.activations.recipes import prefix_hash
from regraft.backbones.contract import stage_parameters
from regraft.core import FrozenDriftError, Plan, Task, Train
from regraft.heads import build_head
from regraft.running import execute
from regraft.running.freeze import FrozenSeal, apply_freeze
from regraft.running.optimise import build_optimiser, parameter_groups

from .conftest import small_vision

FAMILIES = (
    "test_resnet",
    "test_efficientnet",
    "test_convnext",
    "mobilenetv3_small_050",
    "mobilenetv2_050",
    "resnet10t",
)


def phase(stages: int, frozen: int, **options: object) -> Train:
    rates = (0.0,) * frozen + (1e-3,) * (stages - frozen)
    return Train(**{"epochs": 2, "rates": rates, "head_rate": 1e-3, "batch_size": 8, "augment": False, **options})


@pytest.mark.parametrize("mode", ["frozen", "adapt-statistics", "train"])
@pytest.mark.parametrize("name", FAMILIES)
def test_frozen_bytes_do_not_change(name: str, mode: str, pictures: Task) -> None:
    backbone = small_vision(name)
    frozen = len(backbone.outline) // 2
    before = prefix_hash(backbone, frozen)
    one = phase(len(backbone.outline), frozen, batch_norm=mode, cache=False, epochs=1)
    head = build_head("linear", backbone.outline.stages[-1].width, 3, 0)
    whole = prefix_hash(backbone, len(backbone.outline))
    list(execute(Plan("x", "linear", (one,)), backbone, head, pictures, store=None, folder=None))
    assert prefix_hash(backbone, frozen) == before
    assert prefix_hash(backbone, len(backbone.outline)) != whole


@pytest.mark.parametrize("name", FAMILIES)
def test_frozen_features_are_the_same_in_training_and_in_service(name: str) -> None:
    backbone = small_vision(name)
    frozen, pixels = len(backbone.outline) // 2, torch.randn(4, 3, 64, 64)
    apply_freeze(backbone, phase(len(backbone.outline), frozen))
    with torch.no_grad():
        training = backbone.run((pixels,), 0, frozen)[0]
        backbone.module.eval()
        assert torch.equal(training, backbone.run((pixels,), 0, frozen)[0])


@pytest.mark.parametrize(("mode", "moves", "learns"), [("frozen", 0, 1), ("adapt-statistics", 1, 0), ("train", 1, 1)])
def test_batch_norm_modes_do_what_they_say(mode: str, moves: int, learns: int) -> None:
    backbone = small_vision()
    apply_freeze(backbone, phase(len(backbone.outline), 0, batch_norm=mode))
    norm = backbone.module.bn1
    before = norm.running_mean.clone()
    backbone.run((torch.randn(4, 3, 64, 64) + 3,), 0, 1)
    assert bool((norm.running_mean != before).any()) == bool(moves)
    assert norm.weight.requires_grad == bool(learns)


def test_a_broken_seal_is_an_error() -> None:
    backbone = small_vision()
    seal = FrozenSeal(backbone, phase(len(backbone.outline), 2))
    with torch.no_grad():
        next(iter(stage_parameters(backbone, 1).values())).add_(1e-7)
    with pytest.raises(FrozenDriftError, match="layer1"):
        seal.check()


def test_each_trained_tensor_is_in_one_group_with_its_own_rate() -> None:
    backbone = small_vision()
    stages = len(backbone.outline)
    rates = (0.0, 0.0, *(10.0**-power for power in range(3, 3 + stages - 2)))
    one = Train(epochs=1, rates=rates, head_rate=0.5, weight_decay=0.25)
    apply_freeze(backbone, one)
    head = build_head("mlp", backbone.outline.stages[-1].width, 3, 0)
    groups = build_optimiser(parameter_groups(backbone, head, one)).param_groups
    trained = [p for p in [*backbone.module.parameters(), *head.parameters()] if p.requires_grad]
    assert sorted(map(id, trained)) == sorted(id(p) for group in groups for p in group["params"])
    by_stage = {stage.name: rate for stage, rate in zip(backbone.outline, rates, strict=True)} | {"head": 0.5}
    for group in groups:
        stage, kind = group["name"].split("/")
        assert (group["lr"], group["weight_decay"]) == (by_stage[stage], 0.25 if kind == "decay" else 0.0)
        assert (group["betas"], group["eps"], group["fused"]) == ((0.9, 0.999), 1e-8, True)
        assert all((p.ndim > 1) == (kind == "decay") for p in group["params"])


def test_a_plan_that_does_not_fit_fails_before_any_compute(pictures: Task, tmp_path: Path) -> None:
    backbone = small_vision()
    plan = Plan("x", "linear", (phase(3, 1),))
    with pytest.raises(Exception, match="3 rates for 5 stages"):
        next(execute(plan, backbone, build_head("linear", 8, 3, 0), pictures, store=None, folder=tmp_path))
    assert not list(tmp_path.glob("checkpoint*"))
