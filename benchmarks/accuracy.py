"""Test accuracy of strategies on the real tasks; resumable, one row per run in results/accuracy.jsonl.

    uv run python benchmarks/accuracy.py [--only vision-probe,vision-all-stages,scratch,…]

The baselines are TF-IDF + logistic regression for texts (from each task's README) and, for pictures, the range
of a plain scikit-learn probe on the same pooled features. Nothing is chosen by the test part.
"""

import argparse
import json
import os
import sys
from pathlib import Path

from regraft import api
from regraft.core import Task
from regraft.core.plan import ALL_STAGES

RESULTS = Path(__file__).parent / "results" / "accuracy.jsonl"

VISION_GOALS = {
    "flowers5": 0.86,
    "hymenoptera": 0.88,
    "dtd10": 0.80,
    "blood_cells": 0.83,
    "neu_steel": 0.91,
    "rsscn7": 0.81,
}
TEXT_BASELINES = {"trec6": 0.856, "sst2": 0.786, "banking77": 0.820, "ag_news": 0.863}
# Raised when defaults change what a fit gives; rows of an earlier recipe are run again.
# 2: the epoch is chosen by the validation loss with label smoothing; 3: small convolutional networks at 3e-4
RECIPES = {"vision-tuning": 3}
TUNED_VISION = ("blood_cells", "neu_steel", "sign_digits")

GROUPS = {
    "vision-probe": [(task, "feature-extraction") for task in (*VISION_GOALS, "sign_digits")],
    "vision-all-stages": [(task, f"feature-extraction@{ALL_STAGES}") for task in (*VISION_GOALS, "sign_digits")],
    "text-probe": [(task, "feature-extraction") for task in TEXT_BASELINES],
    "text-all-stages": [(task, f"feature-extraction@{ALL_STAGES}") for task in TEXT_BASELINES],
    "text-tuning": [(task, "full-fine-tuning") for task in TEXT_BASELINES],
    "vision-tuning": [(t, s) for t in TUNED_VISION for s in ("partial-fine-tuning", "full-fine-tuning")],
    "scratch": [(task, "from-scratch") for task in (*VISION_GOALS, "sign_digits")],
}


def shared_folder() -> Path:
    """The folder of real data and weights."""
    return Path(os.environ.get("REGRAFT_SHARED") or Path(__file__).resolve().parents[2] / "shared")


def run(task: Task, strategy: str, backbone: str, seed: int) -> dict[str, object]:
    """Fit once and tell what the test part says."""
    name, _, boundary = strategy.partition("@")
    model = api.fit(task, name, backbone=backbone, settings=api.Settings(seed=seed, boundary=boundary or None))
    test = model.results["test"]
    return {
        "task": task.name,
        "strategy": strategy,
        "seed": seed,
        "backbone": Path(backbone).name,
        "accuracy": test["accuracy"],
        "interval": test["intervals"]["accuracy"],
        "validation": model.results["validation"]["accuracy"],
        "epochs": len(model.run.steps),
        "seconds": round(model.run.seconds["total"], 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default=",".join(GROUPS), help="groups of runs, with commas between")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    RESULTS.parent.mkdir(exist_ok=True)
    done = [json.loads(line) for line in RESULTS.read_text().splitlines()] if RESULTS.exists() else []
    known = {(row["task"], row["strategy"], row["seed"], row.get("recipe", 1)) for row in done}
    shared = shared_folder()
    for group in arguments.only.split(","):
        for name, strategy in GROUPS[group]:
            recipe = RECIPES.get(group, 1)
            if (name, strategy, arguments.seed, recipe) in known:
                continue
            text = name in TEXT_BASELINES
            task = api.open_task(shared / "data" / ("text" if text else "vision") / name)
            backbone = "bundled:minilm" if text else str(shared / "models" / "mobilenetv2_100.imagenet")
            row = run(task, strategy, backbone, arguments.seed)
            row["recipe"] = recipe
            row["baseline"] = {**VISION_GOALS, **TEXT_BASELINES}.get(name)
            with RESULTS.open("a") as file:
                file.write(json.dumps(row) + "\n")
            low, high = row["interval"]  # type: ignore[misc]
            print(
                f"{name:12} {strategy:20} {row['accuracy']:.3f} [{low:.3f}, {high:.3f}]  {row['baseline']}",
                file=sys.stderr,
            )


if __name__ == "__main__":
    main()
