"""A small real task and a small real network."""

from pathlib import Path

import pytest
import timm
import torch
from PIL import Image
from sklearn.datasets import load_digits

from regraft.backbones.contract import Backbone
from regraft.backbones.timm_source import build_timm
from regraft.core import Evidence, Passport, Task
from regraft.demo import intents_folder
from regraft.measuring.measure import measure, observe
from regraft.measuring.subject import Subject
from regraft.running.resources import Resources
from regraft.tasks import few_shot, open_task


def digits_folder(folder: Path, count: int = 75, classes: int = 3) -> Path:
    digits = load_digits()
    for number in range(count):
        place = folder / str(digits.target[number] % classes)
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray((digits.images[number] * 15).astype("uint8")).resize((48, 48)).save(place / f"{number}.png")
    return folder


def small_vision(name: str = "test_resnet", size: int = 64) -> Backbone:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = timm.create_model(name, pretrained_cfg_overlay={"input_size": (3, size, size)})
        return build_timm(model, name, {}, Passport(name, f"scratch:{name}", sha256="0" * 64))


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Task:
    return open_task(digits_folder(tmp_path_factory.mktemp("data") / "digits"))


@pytest.fixture(scope="session")
def texts() -> Task:
    return few_shot(open_task(intents_folder()), 6, seed=0)


@pytest.fixture(scope="session")
def resources(tmp_path_factory: pytest.TempPathFactory) -> Resources:
    return Resources(cache_dir=tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="session")
def subject(pictures: Task, resources: Resources) -> Subject:
    return observe(pictures, small_vision(), resources=resources)


@pytest.fixture(scope="session")
def picture_evidence(pictures: Task, resources: Resources) -> Evidence:
    return measure(pictures, small_vision(), resources=resources)


@pytest.fixture(scope="session")
def text_evidence(texts: Task, resources: Resources) -> Evidence:
    return measure(texts, "bundled:minilm", resources=resources)
