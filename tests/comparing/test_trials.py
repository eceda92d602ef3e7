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
    trunk = load_backbone(backbone)
    return Bench(backbone, trunk.outline, trunk.passport, trunk.settings, api.Settings(), api.Resources(), folder)


def test_a_trial_is_kept_for_its_network(task: Task, tmp_path: Path) -> None:
    ((part,),), _ = parts_of(task, (None,), (0,))
    folders = [tmp_path / "plain", tmp_path / "edited"]
    for folder in folders:
        shutil.copytree(bundled_folder("minilm"), folder)
    settings = folders[1] / "config.json"
    settings.write_text(json.dumps({**json.loads(settings.read_text()), "layer_norm_eps": 0.1}))
    benches = [bench_of(str(folder), tmp_path) for folder in folders]
    # Two folders have two names; what is asked here is the network alone.
    named = [replace(one, passport=benches[0].passport) for one in benches]
    assert named[0].file("lp-ft", part) != named[1].file("lp-ft", part)


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
