"""Trains a few epochs in a folder, resuming what is there.

Run by test_execute.py in a process of its own too, which is killed in the middle of an epoch:
`python killed_run.py FOLDER EPOCH`.
"""

import os
import signal
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


def train(folder: Path, killed_in: int | None = None) -> tuple[list[float], str]:
    """The loss of each epoch and a hash of the trunk; killed halfway through the epoch named, counted from 1."""

    def progress(what: str, done: int, total: int) -> None:
        if what == f"epoch {killed_in}" and done == total // 2:
            os.kill(os.getpid(), signal.SIGKILL)

    with torch.random.fork_rng(), tempfile.TemporaryDirectory() as data:
        torch.manual_seed(0)
        backbone = build_timm(timm.create_model("test_resnet"), "test_resnet", {}, Passport("a", "scratch:a"))
        rng = np.random.default_rng(0)
        for number in range(40):
            place = Path(data) / "data" / str(number % 2)
            place.mkdir(parents=True, exist_ok=True)
            values = rng.integers(0, 255, (6, 6, 3), dtype=np.uint8) // (1 + number % 2)
            Image.fromarray(values).resize((64, 64)).save(place / f"{number}.png")
        task = open_task(Path(data) / "data")
        phase = Train(epochs=6, rates=(0.0, 0.0, 1e-3, 1e-3, 1e-3), head_rate=1e-2, batch_size=8, cache=False)
        head = build_head("linear", backbone.outline.stages[-1].width, 2, 0)
        plan = Plan("test", "linear", (phase,))
        steps = list(execute(plan, backbone, head, task, store=None, folder=folder, resume=True, progress=progress))
    return [step.loss for step in steps], prefix_hash(backbone, 5)


if __name__ == "__main__":
    train(Path(sys.argv[1]), int(sys.argv[2]))
