"""Validation results of whole-model tuning at several rates: what the default rates rest on.

    uv run python benchmarks/rates.py                                            texts, bundled:minilm
    uv run python benchmarks/rates.py --pictures bundled:resnet-small [--shots 10]
    uv run python benchmarks/rates.py --network runs/language/gpt2-mini          a small text network
    uv run python benchmarks/rates.py --summary

No test part is read. Rows are appended to results/rates.jsonl. Needs the real data (REGRAFT_SHARED or ../shared).
"""

import argparse
import json
import os
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from regraft import api
from regraft.comparing.parts import few_shot
from regraft.core import Task

SHARED = Path(os.environ.get("REGRAFT_SHARED") or Path(__file__).resolve().parents[2] / "shared")
RESULTS = Path(__file__).parent / "results" / "rates.jsonl"
TEXTS, TEXT_RATES, TEXT_EPOCHS = ("snips_slots", "banking77"), (5e-5, 1e-4, 2e-4, 4e-4), 4
PICTURES = ("blood_cells", "sign_digits", "dtd10", "flowers5", "rsscn7", "pacs_cartoon")
PICTURE_RATES = (1e-4, 3e-4, 1e-3)
# Short texts, so that a small network has read them soon; sst2, on which such a network is judged, is not among them.
SHORT_TEXTS = ("trec6", "cola", "tweet_emotion")
# Strategy, rate of the last stage, rate of each stage as a share of the next one's.
TRIED: tuple[tuple[str, float, float | None], ...] = (
    ("full-fine-tuning", 2e-4, None),
    ("full-fine-tuning", 1e-3, None),
    ("full-fine-tuning", 5e-4, 1.0),
    ("full-fine-tuning", 1e-3, 1.0),
    ("from-scratch", 5e-4, None),
    ("from-scratch", 1e-3, None),
)


def keep(row: dict[str, Any]) -> None:
    with RESULTS.open("a") as file:
        file.write(json.dumps(row) + "\n")
    print(json.dumps(row), flush=True)


def texts() -> None:
    """Few epochs, so that a rate that is too small shows."""
    for name in TEXTS:
        task = api.open_task(SHARED / "data" / "text" / name)
        for rate in TEXT_RATES:
            settings = api.Settings(epochs=TEXT_EPOCHS, learning_rate=rate)
            found = api.fit(task, "full-fine-tuning", settings=settings).results["validation"]
            row = {"task": name, "rate": rate, "epochs": TEXT_EPOCHS, "metric": task.metric}
            keep({**row, "validation": round(found[task.metric], 4)})


def pictures(backbone: str, shots: str, seeds: int, rates: list[float]) -> None:
    """The default epochs; the test part is taken away before anything else."""
    done = [json.loads(line) for line in RESULTS.read_text().splitlines()]
    named = Path(backbone).name
    known = {(row["task"], row.get("backbone"), row.get("shots"), row.get("seed"), row["rate"]) for row in done}
    for name in PICTURES:
        for seed in range(seeds):
            task = _part(name, shots, seed)
            for rate in rates:
                if (name, named, shots, seed, rate) in known:
                    continue
                settings = api.Settings(learning_rate=rate, seed=seed)
                model = api.fit(task, "full-fine-tuning", backbone=backbone, settings=settings)
                found = model.results["validation"]
                row = {"task": name, "backbone": named, "shots": shots, "seed": seed, "rate": rate}
                measured = {key: round(found[key], 4) for key in ("accuracy", "log_loss")}
                keep({**row, "epochs": len(model.run.steps), **measured})


def small_texts(network: str, seeds: int) -> None:
    """Tuned at several rates, all stages alike or the first ones slower; and from a random start."""
    done = [json.loads(line) for line in RESULTS.read_text().splitlines()]
    named = Path(network).name
    shared = ("task", "backbone", "seed", "strategy", "rate", "layer_decay")
    known = {tuple(row.get(one) for one in shared) for row in done}
    for seed in range(seeds):
        for name in SHORT_TEXTS:
            task = _part(name, "all", seed, "text")
            for strategy, rate, decay in TRIED:
                row = {"task": name, "backbone": named, "seed": seed, "strategy": strategy}
                row |= {"rate": rate, "layer_decay": decay, "shots": "all"}
                if tuple(row[one] for one in shared) in known:
                    continue
                settings = api.Settings(learning_rate=rate, layer_decay=decay, seed=seed)
                model = api.fit(task, strategy, backbone=network, settings=settings)
                found = model.results["validation"]
                measured = {key: round(found[key], 4) for key in ("accuracy", "log_loss")}
                keep({**row, "epochs": len(model.run.steps), **measured})


def _part(name: str, shots: str, seed: int, kind: str = "vision") -> Task:
    task = api.open_task(SHARED / "data" / kind / name, seed=seed)
    task = task if shots == "all" else few_shot(task, int(shots), seed)
    return replace(task, splits={part: split for part, split in task.splits.items() if part != "test"})


def summary() -> None:
    """Mean validation accuracy and loss by backbone, labels and rate."""
    groups: dict[tuple[Any, ...], list[tuple[float, float]]] = defaultdict(list)
    for line in RESULTS.read_text().splitlines():
        row = json.loads(line)
        if "backbone" in row:
            group = tuple(row.get(one, "") for one in ("backbone", "shots", "strategy", "layer_decay", "rate"))
            groups[group].append((row["accuracy"], row["log_loss"]))
    for (backbone, shots, strategy, decay, rate), values in sorted(groups.items(), key=str):
        accuracy, loss = np.mean(values, axis=0)
        print(
            f"{Path(backbone).name:26} {shots:>4} {strategy:16} {decay!s:>4} {rate:.0e}  accuracy {accuracy:.3f}  "
            f"loss {loss:.3f}  {len(values)}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", default="", help="a vision backbone")
    parser.add_argument("--network", default="", help="a small text backbone")
    parser.add_argument("--shots", default="all")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--rates", default=",".join(map(str, PICTURE_RATES)), help="of pictures")
    parser.add_argument("--summary", action="store_true")
    arguments = parser.parse_args()
    RESULTS.parent.mkdir(exist_ok=True)
    if arguments.summary:
        summary()
    elif arguments.pictures:
        pictures(
            arguments.pictures, arguments.shots, arguments.seeds, [float(one) for one in arguments.rates.split(",")]
        )
    elif arguments.network:
        small_texts(arguments.network, arguments.seeds)
    else:
        texts()


if __name__ == "__main__":
    main()
