"""A small real task and small real networks."""

from pathlib import Path

import pytest
import timm
import torch

from regraft.backbones import load_backbone
from regraft.backbones.contract import Backbone
from regraft.backbones.timm_source import build_timm
from regraft.core import Passport, Task
from regraft.demo import intents_folder
from regraft.tasks import few_shot, open_task


@pytest.fixture
def texts() -> Task:
    return few_shot(open_task(intents_folder()), 3, seed=0)


@pytest.fixture
def pictures(tmp_path: Path) -> Task:
    from PIL import Image
    from sklearn.datasets import load_digits

    digits = load_digits()
    for number in range(60):
        folder = tmp_path / "digits" / str(digits.target[number] % 3)
        folder.mkdir(parents=True, exist_ok=True)
        values = (digits.images[number] * 15).astype("uint8")
        Image.fromarray(values).resize((48, 48)).save(folder / f"{number}.png")
    return open_task(tmp_path / "digits")


def small_vision(name: str = "test_resnet", size: int = 64) -> Backbone:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = timm.create_model(name, pretrained_cfg_overlay={"input_size": (3, size, size)})
        return build_timm(model, name, {}, Passport(name, f"scratch:{name}"))


def small_text() -> Backbone:
    return load_backbone("bundled:minilm")
