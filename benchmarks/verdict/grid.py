"""What the verdict is tried on: tasks, backbones, numbers of labels, and every strategy with its main boundaries."""

import json
import os
import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from regraft.core import Split, Task
from regraft.core.places import default_cache_dir

if TYPE_CHECKING:  # scoring reads rows and needs no network
    from regraft.backbones.contract import Backbone
    from regraft.comparing.parts import Part

SHARED = Path(os.environ.get("REGRAFT_SHARED") or Path(__file__).resolve().parents[3] / "shared")
RESULTS = Path(__file__).parents[1] / "results"
# Trials and activations: remade where lost.
WORK = Path(os.environ.get("REGRAFT_VERDICT") or default_cache_dir() / "verdict")

TEXTS = (
    "trec6", "sst2", "cola", "sms_spam", "tweet_emotion", "satd_comments",
    "fin_phrasebank", "germeval18_de", "tos_unfair", "mrpc", "ag_news", "chemprot", "banking77",
)  # fmt: skip
PICTURES = (
    "hymenoptera", "omniglot20", "neu_steel", "flowers5", "rsscn7", "pacs_cartoon",
    "blood_cells", "trashnet", "dtd10", "cifar10", "sign_digits", "gtsrb20",
)  # fmt: skip

# Pictures are read at 96 pixels instead of 224: a fifth of the arithmetic, so that the oracle is affordable.
BACKBONES = {
    "minilm": ("text", "bundled:minilm", None),
    "imagenet-96": ("image", "mobilenetv2_100.imagenet", 96),
    "insect-96": ("image", "mobilenetv2_100.inat_insect", 96),
    "resnet-small": ("image", "bundled:resnet-small", None),
}

# Every strategy, and of those that have a boundary the main ones; the cheapest first.
ARMS: tuple[tuple[str, str | None], ...] = (
    ("feature-extraction", None),
    ("feature-extraction", "all"),
    ("feature-extraction", "75%"),
    ("partial-fine-tuning", None),
    ("full-fine-tuning", None),
    ("lp-ft", None),
    ("lora", None),
    ("gradual-unfreezing", None),
    ("from-scratch", None),
)
MAIN = ARMS[:6]  # the arms that are run first, where time is short
FEW, SOME, ALL = "10", "50", "all"
MOST_TEST = 500


@dataclass(frozen=True)
class Cell:
    """One task on one backbone with so many labels, one seed."""

    task: str
    backbone: str
    shots: str
    seed: int


def weights(backbone: str) -> str:
    """As `--backbone` takes it; a folder with another picture size is made beside the trials."""
    _, name, size = BACKBONES[backbone]
    if name.startswith("bundled:"):
        return name
    folder = SHARED / "models" / name
    if size is None:
        return str(folder)
    resized = WORK / "models" / f"{name}-{size}"
    if not (resized / "config.json").exists():
        resized.mkdir(parents=True, exist_ok=True)
        for file in folder.iterdir():
            if file.name != "config.json" and not (resized / file.name).exists():
                (resized / file.name).symlink_to(file)
        config = json.loads((folder / "config.json").read_text())
        config["pretrained_cfg"]["input_size"] = [3, size, size]
        (resized / "config.json").write_text(json.dumps(config))
    return str(resized)


@cache
def trunk(backbone: str) -> "Backbone":
    """The backbone, loaded once: for its outline and evidence, never trained."""
    from regraft import api

    return api.load_backbone(weights(backbone), offline=True)


@cache
def whole(task: str) -> Task:
    """The task with all its labels; the same split for every seed, the test part cut to 500 samples."""
    from regraft import api
    from regraft.comparing.parts import with_test

    found = with_test(api.open_task(SHARED / "data" / ("text" if task in TEXTS else "vision") / task))[0]
    test = found.splits["test"]
    rows = sorted(random.Random(0).sample(range(len(test)), min(MOST_TEST, len(test))))  # noqa: S311 - not a secret
    cut = Split(tuple(test.samples[row] for row in rows), tuple(test.targets[row] for row in rows))
    return replace(found, splits={**found.splits, "test": cut}, fingerprint=f"{found.fingerprint}/test-{MOST_TEST}")


@cache
def part(task: str, shots: str, seed: int) -> "Part":
    """What one cell learns from."""
    from regraft.comparing.parts import parts_of

    ((found,),), _ = parts_of(whole(task), (None if shots == ALL else int(shots),), (seed,))
    return found


def worthwhile(task: str, shots: str) -> bool:
    """Fifty shots that are nearly all there is say nothing that all does not say."""
    return shots != SOME or part(task, SOME, 0).labels < 0.7 * part(task, ALL, 0).labels


def cells(backbones: list[str], shots: list[str], seeds: list[int]) -> Iterator[Cell]:
    """All cells of some backbones, task by task."""
    for backbone in backbones:
        for task in TEXTS if BACKBONES[backbone][0] == "text" else PICTURES:
            for number in shots:
                if worthwhile(task, number):
                    yield from (Cell(task, backbone, number, seed) for seed in seeds)
