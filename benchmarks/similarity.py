"""How near each task is to a backbone's source, by every measure there is: what `similarity/distance` is calibrated on.

    uv run python benchmarks/similarity.py            # measure; goes on where it was stopped
    uv run python benchmarks/similarity.py --calibrate

Only training samples are read, and labels only by the probes of `similarity/affinity`. What each task's domain is stands
in `DOMAINS`, taken from the READMEs of the data, not from any result. Source statistics of the ImageNet networks are
those of 600 pictures of tiny-imagenet. Rows go to results/similarity.jsonl. Needs the real data (REGRAFT_SHARED or
../shared).
"""

import argparse
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import kendalltau

from regraft import api
from regraft.core import ImageSample, Split, Task
from regraft.measuring.domain import placed
from regraft.measuring.measure import observe
from regraft.measuring.similarity import similarity
from regraft.measuring.source_statistics import SourceStatistics, source_statistics
from regraft.tasks.pictures import digested
from regraft.tasks.webdataset import read_shards

SHARED = Path(os.environ.get("REGRAFT_SHARED") or Path(__file__).resolve().parents[2] / "shared")
RESULTS = Path(__file__).parent / "results" / "similarity.jsonl"
SOURCE_SAMPLES = 600
MOST_SAMPLES = 400
LEAST_TAU = 0.5  # with the domains: a measure that orders them worse has no say

# 0 = the same kind of data as the source, 1 = another kind of the same thing (other cameras, scale, style, language use),
# 2 = other things altogether.
DOMAINS = {
    "vision": {
        "flowers5": 0, "hymenoptera": 0, "cifar10": 0,
        "dtd10": 1, "pacs_cartoon": 1, "trashnet": 1, "sign_digits": 1, "gtsrb20": 1, "rsscn7": 1,
        "neu_steel": 2, "blood_cells": 2, "omniglot20": 2,
    },
    "text": {
        "sst2": 0, "ag_news": 0, "trec6": 0, "banking77": 0,
        "tweet_emotion": 1, "fin_phrasebank": 1, "sms_spam": 1, "tos_unfair": 1, "cola": 1,
        "germeval18_de": 2, "chemprot": 2, "satd_comments": 2,
    },
}  # fmt: skip
BACKBONES = {"vision": "models/mobilenetv2_100.imagenet", "text": "bundled:minilm"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calibrate", action="store_true")
    parser.add_argument("--kinds", default="vision,text")
    arguments = parser.parse_args()
    if arguments.calibrate:
        calibrate()
        return
    for kind in arguments.kinds.split(","):
        measure(kind)


def measure(kind: str) -> None:
    RESULTS.parent.mkdir(exist_ok=True)
    done = {(row["kind"], row["task"]) for row in rows()}
    named = BACKBONES[kind]
    backbone = api.load_backbone(str(SHARED / named) if "/" in named else named)
    source: SourceStatistics | None = None
    for name, domain in DOMAINS[kind].items():
        if (kind, name) in done:
            continue
        if kind == "vision" and source is None:
            source = source_statistics(backbone, tiny_imagenet(), most_samples=SOURCE_SAMPLES)
        subject = observe(api.open_task(SHARED / "data" / kind / name), backbone, most_samples=MOST_SAMPLES)
        found = {one.name.removeprefix("similarity/"): round(one.value, 4) for one in similarity(subject, source)}
        row = {"kind": kind, "task": name, "backbone": named, "domain": domain, **found}
        with RESULTS.open("a") as file:
            file.write(json.dumps(row) + "\n")
        print(json.dumps(row), flush=True)


def tiny_imagenet() -> Task:
    """The first pictures of a shard, which are an even mixture of classes; opening all 50,000 would compare them all."""
    shard = SHARED / "data" / "tiny-imagenet" / "train-006.tar.gz"
    found = [one for one in read_shards([shard]).records if isinstance(one.sample, ImageSample)][:SOURCE_SAMPLES]
    classes = tuple(sorted({one.label for one in found}))
    samples = tuple(digested(one.sample) for one in found if isinstance(one.sample, ImageSample))
    train = Split(samples, tuple(classes.index(one.label) for one in found))
    return Task("tiny-imagenet", "image-classification", classes, {"train": train})


def rows() -> list[dict[str, Any]]:
    return [json.loads(line) for line in RESULTS.read_text().splitlines()] if RESULTS.exists() else []


def calibrate() -> None:
    """The ends of each measure, how well it orders the domains, and what tasks that were left out would be called."""
    for kind in DOMAINS:
        found = [row for row in rows() if row["kind"] == kind]
        skipped = {"kind", "task", "backbone", "domain", "distance"}
        names = [name for name in found[0] if name not in skipped and "/" not in name] if found else []
        useful = []
        for name in names:
            kept = [row for row in found if name in row]
            near, far = ends(kept, name)
            tau = kendalltau([row[name] for row in kept], [row["domain"] for row in kept]).statistic
            print(f"{kind:6s} {name:14s} near {near:.3f}, far {far:.3f}; tau with the domains {tau:+.2f}")
            if abs(tau) >= LEAST_TAU:
                useful.append(name)
        told = [left_out(found, row, useful) for row in found]
        for row, value in zip(found, told, strict=True):
            print(f"{kind:6s} {row['task']:16s} domain {row['domain']}, left out and placed at {value:.2f}")
        if useful:
            tau = kendalltau(told, [row["domain"] for row in found]).statistic
            print(f"{kind:6s} by {', '.join(useful)}: tau of left-out places {tau:+.2f}")


def ends(kept: list[dict[str, Any]], name: str) -> tuple[float, float]:
    """Medians on near and on far tasks."""
    near, far = (float(np.median([row[name] for row in kept if row["domain"] == domain])) for domain in (0, 2))
    return near, far


def left_out(found: list[dict[str, Any]], row: dict[str, Any], names: list[str]) -> float:
    """The distance of a task by ends that were found without it."""
    others = [one for one in found if one is not row]
    return float(np.mean([placed(row[name], *ends(others, name)) for name in names]))


if __name__ == "__main__":
    main()
