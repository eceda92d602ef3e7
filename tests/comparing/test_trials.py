"""What a kept trial belongs to, and what it remembers."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from regraft import api
from regraft.backbones import load_backbone
from regraft.backbones.bundled import bundled_folder
from regraft.comparing import compare, trials
from regraft.comparing.forgetting import forgetting_of
from regraft.comparing.parts import parts_of
from regraft.comparing.trials import Bench, Trial
from regraft.core import Task
from regraft.demo import intents_folder
from regraft.forgetting import Forgotten
from regraft.tasks import few_shot


@pytest.fixture(scope="module")
def task() -> Task:
    return few_shot(api.open_task(intents_folder()), 2, seed=0)


def bench_of(backbone: str, folder: Path) -> Bench:
    return Bench(backbone, load_backbone(backbone), api.Settings(), api.Resources(), folder)


@pytest.mark.parametrize(
    ("file", "setting"), [("config.json", {"layer_norm_eps": 0.1}), ("tokenizer_config.json", {"model_max_length": 9})]
)
def test_a_trial_is_kept_for_its_network_and_what_that_is_given(
    task: Task, tmp_path: Path, file: str, setting: dict[str, float]
) -> None:
    ((part,),), _ = parts_of(task, (None,), (0,))
    name = tmp_path / "trunk"
    shutil.copytree(bundled_folder("minilm"), name)
    before = bench_of(str(name), tmp_path).file("lp-ft", part)
    assert bench_of(str(name), tmp_path).file("lp-ft", part) == before
    (name / file).write_text(json.dumps({**json.loads((name / file).read_text()), **setting}))
    assert bench_of(str(name), tmp_path).file("lp-ft", part) != before


def test_a_trial_is_kept_for_its_device(task: Task, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = bench_of("bundled:minilm", tmp_path)
    ((part,),), _ = parts_of(task, (None,), (0,))
    names = []
    for device in ("cpu", "cuda:0", "cuda:1"):  # which of them there are is not asked here
        monkeypatch.setattr(trials, "resolve_device", lambda _, device=device: device)
        names.append(bench.file("lp-ft", part).name)
    assert len(set(names)) == 3


@pytest.fixture(scope="module")
def probe(task: Task, tmp_path_factory: pytest.TempPathFactory) -> Trial:
    return compare(task, tmp_path_factory.mktemp("study"), strategies=("feature-extraction",), seeds=1).trials[0]


def test_what_was_held_out_is_remembered(probe: Trial) -> None:
    held = replace(probe, held_out=Forgotten("source_accuracy", 0.9, 0.8, 0.1, 0.05, 0.16, 40, 2))
    assert Trial.from_json(held.to_json()) == held
    assert Trial.from_json(probe.to_json()).held_out is None


def test_a_loss_has_an_interval_over_source_samples_and_seeds(probe: Trial) -> None:
    seeds = [
        replace(probe, held_out=Forgotten("source_accuracy", 0.9, 0.9 - lost, lost, lost - 0.03, lost + 0.04, 40, 2))
        for lost in (0.1, 0.2)
    ]
    (alone,) = forgetting_of({"lp-ft": seeds[:1]})
    assert (alone.lost, alone.low, alone.high) == pytest.approx((0.1, 0.07, 0.14))
    (both,) = forgetting_of({"lp-ft": seeds})
    assert both.lost == pytest.approx(0.15)
    between = 1.96 * 0.05  # the standard error of two seeds that differ by 0.1
    assert both.low == pytest.approx(0.15 - (0.03**2 + between**2) ** 0.5)
    assert both.high == pytest.approx(0.15 + (0.04**2 + between**2) ** 0.5)
    assert forgetting_of({"from-scratch": [probe]}) == ()
