"""Trials: run on the training part alone, undone afterwards, and worth what they say."""

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from regraft import api
from regraft.backbones.contract import Backbone
from regraft.core import OptionError, Plan, Split, Task
from regraft.demo import intents_folder
from regraft.measuring.advise import _last_stage_probe, advise, shortlist
from regraft.measuring.cost import Counts, measured_speed, predicted_seconds
from regraft.measuring.racing import Race, raced
from regraft.measuring.trials import Ground, ground_for
from regraft.recommending import Offer, offers_for
from regraft.running.resources import Resources
from regraft.strategies import Settings, strategy_named

SMALL = "scratch:test_resnet"


@pytest.fixture(scope="module")
def shades(tmp_path_factory: pytest.TempPathFactory) -> Task:
    """Noise in two shades: so many pictures that a trial has more than 60 held-out ones."""
    folder = tmp_path_factory.mktemp("shades")
    rng = np.random.default_rng(0)
    for number in range(400):
        place = folder / ("bright", "dark")[number % 2]
        place.mkdir(exist_ok=True)
        values = rng.integers(0, 255, (8, 8, 3), dtype=np.uint8) // (1 + number % 2)
        Image.fromarray(values).resize((32, 32)).save(place / f"{number:03}.png")
    return api.open_task(folder)


@pytest.fixture
def trunk() -> Backbone:
    return api.load_backbone(SMALL, kind="image")


def weights(trunk: Backbone) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in trunk.module.state_dict().items()}


def poisoned(task: Task) -> Task:
    """The task with wrong targets in every part but the training one: whoever reads them fails."""
    splits = {
        name: split if name == "train" else Split(split.samples, (None,) * len(split))
        for name, split in task.splits.items()
    }
    return replace(task, splits=splits)


def plan_of(strategy: str, trunk: Backbone, ground: Ground, **settings: Any) -> Plan:
    return strategy_named(strategy).plan(trunk.outline, ground.task.summary(), Settings(**settings))


@pytest.mark.parametrize("strategy", ["full-fine-tuning", "lora", "feature-extraction", "from-scratch"])
def test_a_trial_leaves_the_trunk_as_it_was(shades: Task, trunk: Backbone, strategy: str) -> None:
    before, ground = weights(trunk), ground_for(shades, 40, trunk, None, "cpu", "fp32", 0)
    settings = {} if strategy == "feature-extraction" else {"epochs": 1}
    found = ground.run(plan_of(strategy, trunk, ground, **settings), time.perf_counter() + 600)
    assert found is not None
    assert 0 <= found.value <= 1
    assert all(torch.equal(before[name], tensor) for name, tensor in trunk.module.state_dict().items())


@pytest.mark.parametrize("strategy", ["full-fine-tuning", "lora"])
def test_a_trial_that_runs_out_of_time_is_undone_too(shades: Task, trunk: Backbone, strategy: str) -> None:
    before, ground = weights(trunk), ground_for(shades, 40, trunk, None, "cpu", "fp32", 0)
    assert ground.run(plan_of(strategy, trunk, ground, epochs=50), time.perf_counter()) is None
    assert all(torch.equal(before[name], tensor) for name, tensor in trunk.module.state_dict().items())


def test_the_pieces_are_cut_from_the_training_part_and_do_not_touch(shades: Task, trunk: Backbone) -> None:
    small, whole = (ground_for(poisoned(shades), size, trunk, None, "cpu", "fp32", 0).task for size in (40, None))
    train, held = {one.digest for one in whole.train.samples}, {one.digest for one in whole.splits["test"].samples}
    assert {one.digest for one in small.train.samples} <= train
    assert small.splits["test"] == whole.splits["test"]
    assert not train & held
    assert train | held <= {one.digest for one in shades.train.samples}


def test_a_race_tells_gains_over_the_probe(shades: Task, trunk: Backbone) -> None:
    offers = offers_for(SMALL, trunk.outline, shades.summary(), Settings(epochs=1))
    arms: dict[str, Offer] = {offer.arm: offer for offer in offers}

    def ground_of(samples: int | None) -> Ground:
        return ground_for(shades, samples, trunk, None, "cpu", "fp32", 0)

    def plan(offer: Offer, ground: Ground) -> Plan:
        return plan_of(offer.strategy, trunk, ground, **({} if offer.epochs == 0 else {"epochs": 1}))

    speed = measured_speed(trunk, shades, "cpu")
    rivals = [arms["full-fine-tuning"], arms["partial-fine-tuning"]]
    found = {one.name: one for one in raced(Race(ground_of, arms["feature-extraction"], rivals, plan, speed, 3600.0))}
    gain = found["trial-gain/full-fine-tuning"]
    assert gain.low < gain.value < gain.high
    assert gain.value == pytest.approx(found["trial/full-fine-tuning"].value - found["trial/feature-extraction"].value)
    assert found["trial-samples/full-fine-tuning"].value >= 60


def test_trials_are_held_against_the_last_stage_whatever_boundary_is_fixed(
    shades: Task, trunk: Backbone, tmp_path: Path
) -> None:
    found = advise(
        shades,
        [trunk],
        settings=Settings(boundary=trunk.outline.stages[-2].name, epochs=1),
        resources=Resources(device="cpu", cache_dir=tmp_path),
        budget_seconds=120,
        always=("partial-fine-tuning",),
    )
    trials = found.evidence[0].under("trial")
    gain = found.evidence[0].get("trial-gain/partial-fine-tuning")
    assert gain is not None
    assert set(trials) >= {"feature-extraction", "partial-fine-tuning"}
    assert gain.value == pytest.approx(trials["partial-fine-tuning"].value - trials["feature-extraction"].value)


@pytest.mark.parametrize(
    "fixed", [{"penalty": "l2-sp"}, {"rank": 4}, {"layer_decay": 0.9}, {"head": "mlp", "epochs": 3}]
)
def test_what_a_probe_has_no_use_for_forbids_no_trial(shades: Task, trunk: Backbone, fixed: dict[str, Any]) -> None:
    found = _last_stage_probe(trunk, SMALL, shades, Settings(**fixed))
    assert found is not None
    assert (found.arm, found.plan.head) == ("feature-extraction", "logistic")


def test_what_no_strategy_can_do_is_refused_before_anything_is_measured() -> None:
    task, trunk = api.open_task(intents_folder()), api.load_backbone("bundled:minilm")

    def measured(what: str, done: int, total: int) -> None:
        pytest.fail(f"{what} {done} of {total}")

    with pytest.raises(OptionError, match="BatchNorm"):
        advise(task, [trunk], settings=Settings(batch_norm="train"), progress=measured)


def test_advice_reads_the_training_part_alone(shades: Task, trunk: Backbone, tmp_path: Path) -> None:
    found = advise(poisoned(shades), [trunk], resources=Resources(device="cpu", cache_dir=tmp_path), budget_seconds=3)
    assert found.best.expected > 0.5
    assert found.evidence[0].get("profile/samples") is not None


def test_one_sample_of_each_class_is_enough_to_answer(tmp_path: Path) -> None:
    words = ("flight", "music", "weather", "alarm", "light", "call", "parcel", "translate")
    (tmp_path / "one.csv").write_text("text,label\n" + "".join(f"about the {word},{word}\n" for word in words))
    found = api.recommend(api.open_task(tmp_path / "one.csv"), "bundled:minilm", budget_seconds=5)
    assert found.best.expected > 0
    assert not found.evidence[0].under("probe")
    assert not found.evidence[0].under("curve")


def test_of_many_backbones_the_largest_are_measured_where_time_is_short() -> None:
    trunks = [
        api.load_backbone(name, kind="image")
        for name in ("scratch:test_resnet", "scratch:test_vit", "scratch:test_efficientnet")
    ]
    largest = max(trunks, key=lambda one: one.outline.parameters)
    assert shortlist(trunks, 1) == [largest]
    assert shortlist(trunks, 3) == trunks


def test_backbones_that_a_small_budget_left_out_are_named(shades: Task, tmp_path: Path) -> None:
    trunks = [api.load_backbone(name, kind="image") for name in (SMALL, "scratch:test_efficientnet")]
    taken = shortlist(trunks, 1)[0]
    (left,) = (one.passport.source for one in trunks if one is not taken)
    found = advise(shades, trunks, resources=Resources(device="cpu", cache_dir=tmp_path), budget_seconds=5)
    assert [one.backbone for one in found.evidence] == [taken.passport.source]
    assert any("is too small to look at" in reason and left in reason for reason in found.reasons)


def test_the_foreseen_time_grows_with_what_is_trained(shades: Task, trunk: Backbone) -> None:
    speed, counts = measured_speed(trunk, shades, "cpu"), Counts.of(shades, stored=len(shades.train))
    summary = shades.summary()

    def seconds(strategy: str) -> float:
        return predicted_seconds(strategy_named(strategy).plan(trunk.outline, summary, Settings()), speed, counts)

    assert seconds("feature-extraction") < seconds("full-fine-tuning") < seconds("gradual-unfreezing")


def test_stored_features_cost_nothing(shades: Task, trunk: Backbone) -> None:
    speed = measured_speed(trunk, shades, "cpu")
    plan = strategy_named("feature-extraction").plan(trunk.outline, shades.summary(), Settings())
    none, all_of_them = (Counts.of(shades, stored=count) for count in (0, len(shades.train)))
    saved = predicted_seconds(plan, speed, none) - predicted_seconds(plan, speed, all_of_them)
    assert saved == pytest.approx(len(shades.train) * (speed.prepare + sum(speed.forward)))


def test_samples_that_are_nearly_the_same_stay_on_one_side_of_a_trial(tmp_path: Path, trunk: Backbone) -> None:
    rows = "".join(f"the word {n // 2}{'!' * (n % 2)},{'ab'[n // 2 % 2]}\n" for n in range(80))
    (tmp_path / "twins.csv").write_text(f"text,label\n{rows}")
    task = api.open_task(tmp_path / "twins.csv")
    piece = ground_for(task, None, trunk, None, "cpu", "fp32", 0).task
    sides = [{one.text.strip("!") for one in piece.splits[name].samples} for name in ("train", "test")]
    assert all(sides)
    assert not sides[0] & sides[1]
