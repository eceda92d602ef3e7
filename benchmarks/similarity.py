"""How near each task is to a backbone's source: what `similarity/distance` is calibrated on.

    uv run python benchmarks/similarity.py            # measure; goes on where it was stopped
    uv run python benchmarks/similarity.py --calibrate

No label is read, and no test sample. What each task's domain is stands in `DOMAINS`, taken from the READMEs of the data,
not from any result. Source statistics of the ImageNet network are those of 300 pictures of tiny-imagenet. Rows go to
results/similarity.jsonl. Needs the real data (REGRAFT_SHARED or ../shared).
"""

import argparse
import hashlib
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import kendalltau

from regraft import api
from regraft.core import ImageSample, Split, Task
from regraft.measuring.domain import ENDS, placed
from regraft.measuring.similarity import confidence, distances, fragmentation
from regraft.measuring.source_statistics import SourceStatistics, source_statistics
from regraft.measuring.subject import drawn_rows, subject_of
from regraft.tasks.pictures import digested
from regraft.tasks.webdataset import read_shards

SHARED = Path(os.environ.get("REGRAFT_SHARED") or Path(__file__).resolve().parents[2] / "shared")
RESULTS = Path(__file__).parent / "results" / "similarity.jsonl"
SOURCE_SAMPLES = 300
MOST_SAMPLES = 200

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
        if kind == "text":
            taken = list(fragmentation(backbone, texts(name).train.samples))
        else:
            task = pictures(name)
            subject = subject_of(task, backbone, drawn_rows(task, MOST_SAMPLES, 0), api.Resources())
            taken = [*(confidence(subject.original) if subject.original is not None else ())]
            taken += [*(distances(subject, source) if source is not None else ())]
        found = {one.name.removeprefix("similarity/"): round(one.value, 4) for one in taken}
        found.pop("class-means", None)  # reads labels
        row = {"kind": kind, "task": name, "backbone": named, "domain": domain, **found}
        with RESULTS.open("a") as file:
            file.write(json.dumps(row) + "\n")
        print(json.dumps(row), flush=True)


def pictures(name: str) -> Task:
    """Training pictures as they lie in their folders: opening a task would compare all of them."""
    files = sorted((SHARED / "data" / "vision" / name / "train").glob("*/*"))
    classes = tuple(sorted({file.parent.name for file in files}))
    samples = tuple(ImageSample(str(file), str(file), hashlib.sha256(file.read_bytes()).hexdigest()) for file in files)
    targets = tuple(classes.index(file.parent.name) for file in files)
    return Task(name, "image-classification", classes, {"train": Split(samples, targets)})


def texts(name: str) -> Task:
    return api.open_task(SHARED / "data" / "text" / name)


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
    """The ends of each measure, how well it orders the domains, and where tasks that were left out would be placed.

    Which measures `regraft.measuring.domain` takes was chosen by the last line, among single ones, pairs and all three.
    """
    for kind, reads in (("vision", "image"), ("text", "text")):
        found = [row for row in rows() if row["kind"] == kind]
        for name in found[0]:
            if name not in {"kind", "task", "backbone", "domain"}:
                near, far = ends(found, name)
                tau = kendalltau([row[name] for row in found], [row["domain"] for row in found]).statistic
                print(f"{kind:6s} {name:14s} near {near:.3f}, far {far:.3f}; tau with the domains {tau:+.2f}")
        taken = list(ENDS[reads])  # type: ignore[index]
        for names in [taken, *([name] for name in taken if len(taken) > 1)]:
            told = [left_out(found, row, names) for row in found]
            tau = kendalltau(told, [row["domain"] for row in found]).statistic
            error = np.sqrt(np.mean([(one - row["domain"] / 2) ** 2 for one, row in zip(told, found, strict=True)]))
            places = ", ".join(f"{row['task']} {one:.2f}" for one, row in zip(told, found, strict=True))
            print(
                f"{kind:6s} by {' and '.join(names)}, each task left out: {places}; tau {tau:+.2f}, error {error:.2f}"
            )


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
