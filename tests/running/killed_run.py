"""Trains a few epochs in the folder named, resuming what is there; prints a hash of the weights.

Run by test_execute.py in a process of its own, so that it can be killed.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np
import timm
import torch
from PIL import Image

from regraft.activations.recipes import prefix_hash
from regraft.backbones.timm_source import build_timm
from regraft.core import Passport, Plan, Train
from regraft.heads import build_head
from regraft.running import execute
from regraft.tasks import open_task

torch.manual_seed(0)
backbone = build_timm(timm.create_model("test_resnet"), "test_resnet", {}, Passport("a", "scratch:a"))
with tempfile.TemporaryDirectory() as folder:
    rng = np.random.default_rng(0)
    for number in range(40):
        place = Path(folder) / "data" / str(number % 2)
        place.mkdir(parents=True, exist_ok=True)
        values = rng.integers(0, 255, (6, 6, 3), dtype=np.uint8) // (1 + number % 2)
        Image.fromarray(values).resize((64, 64)).save(place / f"{number}.png")
    task = open_task(Path(folder) / "data")
    phase = Train(epochs=6, rates=(0.0, 0.0, 1e-3, 1e-3, 1e-3), head_rate=1e-2, batch_size=8, cache=False)
    head = build_head("linear", backbone.outline.stages[-1].width, 2, 0)
    plan = Plan("test", "linear", (phase,))
    for _ in execute(plan, backbone, head, task, store=None, folder=Path(sys.argv[1]), resume=True):
        pass
print(prefix_hash(backbone, 5))
