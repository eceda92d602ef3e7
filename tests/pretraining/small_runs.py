"""One small run of each objective, on data made on the spot.

Run by test_resuming.py in a process of its own too, where each is killed in the middle:
`python small_runs.py FOLDER`.
"""

import os
import signal
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from regraft.pretraining.call import OBJECTIVES, Call, ObjectiveName
from regraft.pretraining.loop import Report
from regraft.pretraining.pretrain import Pretrained, pretrain_call
from regraft.pretraining.recipes import Causal, Masked, Recipe, Schedule, SimSiam, Supervised, Views

ARCHITECTURES = {"supervised": "test_resnet", "simsiam": "test_resnet", "mlm": "bert-tiny", "clm": "gpt2-tiny"}
SCHEDULE = Schedule(epochs=2, batch_size=8, learning_rate=1e-3)
VIEWS = Views(sizes=((0.0, 24), (0.5, 32)))
RECIPES: dict[str, Recipe] = {
    "supervised": Supervised(SCHEDULE, VIEWS),
    "simsiam": SimSiam(SCHEDULE, VIEWS, projection=32),
    "mlm": Masked(SCHEDULE, length=16, vocabulary=200),
    "clm": Causal(SCHEDULE, length=16, vocabulary=300, dropout=0.1),  # so that its random numbers are resumed too
}


def pictures(folder: Path, count: int = 48) -> Path:
    """Coarse noise, the darker the higher its class."""
    rng = np.random.default_rng(0)
    for number in range(count):
        place = folder / f"class{number % 3}"
        place.mkdir(parents=True, exist_ok=True)
        values = rng.integers(0, 255, (6, 6, 3), dtype=np.uint8) // (1 + number % 3)
        Image.fromarray(values).resize((36, 40)).save(place / f"{number}.png")
    return folder


def texts(folder: Path, count: int = 120) -> Path:
    """Sentences of a small language."""
    rng = np.random.default_rng(0)
    parts = (
        ["the", "a", "no"],
        ["red", "old", "big"],
        ["cat", "ship", "tree"],
        ["sees", "likes"],
        ["me.", "it.", "you."],
    )
    lines = [" ".join(str(rng.choice(part)) for part in parts * 3) for _ in range(count)]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "train-00.txt").write_text("\n".join(lines), encoding="utf-8")
    return folder


def call_of(objective: ObjectiveName, data: Path, **changed: object) -> Call:
    """The call of a small run."""
    call = Call(str(data), objective, ARCHITECTURES[objective], "", "", "", "", RECIPES[objective], 0)
    return replace(call, **changed)  # type: ignore[arg-type]


def run(objective: ObjectiveName, folder: Path, killed_at: int | None = None, *, resume: bool = False) -> Pretrained:
    """Train in `folder/OBJECTIVE`; killed when the report of a step comes, before its checkpoint is written."""

    def told(report: Report) -> None:
        if report.step == killed_at:
            os.kill(os.getpid(), signal.SIGKILL)

    made = pictures if objective in {"supervised", "simsiam"} else texts
    call = call_of(objective, made(folder / "data" / made.__name__))
    return pretrain_call(
        call, folder / objective, device="cpu", resume=resume, every_seconds=0, report_steps=2, on_report=told
    )


if __name__ == "__main__":
    torch.set_num_threads(2)
    for one in OBJECTIVES:
        child = os.fork()  # before anything is computed, so that no thread is lost
        if child == 0:
            run(one, Path(sys.argv[1]), killed_at=6)
        os.waitpid(child, 0)
