"""What ImageNet accuracy tuning costs, by strategy, whether a budget is kept, and what the proxy says of it.

    uv run python benchmarks/forgetting.py spectrum    every strategy on blood_cells: ImageNet before and after
    uv run python benchmarks/forgetting.py budget      2 % budgets on several tasks, seeds and rates
    uv run python benchmarks/forgetting.py proxy       how well agreement and drift told what was lost, over those rows

`mobilenetv2_100.imagenet`, measured by its own head on tiny-imagenet's validation pictures (64 px, upscaled), answers
restricted to the classes that both know. Budgets: half of these pictures choose, the other half reports. Replay learns
from pictures of the training shards. Rows are appended to results/forgetting.jsonl; a run goes on where it was stopped.
"""

import argparse
import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import spearmanr

from regraft import api, keeping
from regraft.core import Split, Task
from regraft.tasks import few_shot

SHARED = Path(os.environ.get("REGRAFT_SHARED") or Path(__file__).resolve().parents[2] / "shared")
WEIGHTS = str(SHARED / "models" / "mobilenetv2_100.imagenet")
RESULTS = Path(__file__).parent / "results" / "forgetting.jsonl"
SPECTRUM: tuple[tuple[str, dict[str, Any]], ...] = (
    ("feature-extraction", {}),
    ("partial-fine-tuning", {}),
    ("lora", {}),
    ("full-fine-tuning", {}),
    ("full-fine-tuning", {"penalty": "l2-sp"}),
    ("full-fine-tuning", {"penalty": "lwf"}),
    ("full-fine-tuning", {"penalty": "replay"}),
    ("lp-ft", {}),
    ("gradual-unfreezing", {}),
)
BUDGET_TASKS = ("blood_cells", "neu_steel", "flowers5", "hymenoptera")
BUDGET = 0.02
REPLAYED = 1000
CLASSES = 200


def finished(benchmark: str) -> list[dict[str, Any]]:
    rows = [json.loads(line) for line in RESULTS.read_text().splitlines()] if RESULTS.exists() else []
    return [row for row in rows if row["benchmark"] == benchmark]


def report(row: dict[str, Any]) -> None:
    with RESULTS.open("a") as file:
        file.write(json.dumps(row) + "\n")
    print(json.dumps(row), flush=True)


def pictures(shard: str, count: int) -> Split:
    """The first `count` samples of a shard, whose order is random, with their targets."""
    task = api.open_task(SHARED / "data" / "tiny-imagenet" / shard)
    assert len(task.classes) == CLASSES, f"{shard}: targets of shards would not be the same classes"
    pairs = [pair for part in task.splits.values() for pair in zip(part.samples, part.targets, strict=True)]
    pairs = sorted(pairs, key=lambda pair: pair[0].digest)[:count]
    return Split(tuple(sample for sample, _ in pairs), tuple(target for _, target in pairs))


def source(count: int, *, replayed: int = 0) -> Task:
    """Validation pictures to measure on; with `replayed`, training pictures to learn from."""
    whole = api.open_task(SHARED / "data" / "tiny-imagenet" / "val-000.tar.gz")
    learnt = {"train": pictures("train-000.tar.gz", replayed)} if replayed else {}
    return replace(whole, splits={**learnt, "test": pictures("val-000.tar.gz", count)})


def target(name: str, shots: int | None, seed: int = 0) -> Task:
    task = api.open_task(SHARED / "data" / "vision" / name)
    return task if shots is None else few_shot(task, shots, seed)


def spectrum(epochs: int, names: list[str], count: int, shots: int | None) -> None:
    data = source(count)
    done = {(row["task"], row["strategy"], json.dumps(row["options"])) for row in finished("spectrum")}
    for name in names:
        task = target(name, shots)
        for strategy, options in SPECTRUM:
            if (name, strategy, json.dumps(options)) in done:
                continue
            settings = api.Settings(epochs=None if strategy == "feature-extraction" else epochs, **options)
            replays = options.get("penalty") == "replay"
            budget = api.SourceBudget(source(count, replayed=REPLAYED)) if replays else None
            model = api.fit(task, strategy, backbone=WEIGHTS, settings=settings, budget=budget)
            inputs = task.splits["validation"].samples
            found = keeping.forgetting_of(model, data, inputs, store=api.Resources().store())
            row = {"benchmark": "spectrum", "task": name, "strategy": strategy, "options": options, "epochs": epochs}
            report({**row, "shots": shots, "test": model.results["test"]["accuracy"], **(found or {})})


def budget(runs: int, epochs: int, count: int, shots: int | None) -> None:
    """The loss on the reporting half, against the budget; rates up to ten times the default, so that there is some."""
    data = source(count)
    done = {(row["task"], row["seed"], row["rate"]) for row in finished("budget")}
    plans = [(name, seed, rate) for seed in range(runs) for rate in (1e-4, 1e-3) for name in BUDGET_TASKS]
    for name, seed, rate in plans[:runs]:
        if (name, seed, rate) in done:
            continue
        task = target(name, shots, seed)
        model = api.fit(
            task,
            "full-fine-tuning",
            backbone=WEIGHTS,
            settings=api.Settings(epochs=epochs, seed=seed, learning_rate=rate),
            budget=api.SourceBudget(data, BUDGET),
        )
        found = model.forgetting or {}
        proxy = keeping.forgetting_of(model, None, task.splits["validation"].samples) or {}
        report(
            {
                "benchmark": "budget",
                "task": name,
                "seed": seed,
                "rate": rate,
                "shots": shots,
                "source_samples": count,
                "budget": BUDGET,
                "alpha": found["alpha"],
                "lost": found["held_out"]["lost"],
                "kept": found["held_out"]["lost"] <= BUDGET,
                "tuned_lost": found["curve"][-1]["lost"],
                "target_cost": found["target_cost"],
                "agreement": proxy.get("agreement"),
                "feature_drift": proxy.get("feature_drift"),
                "test": model.results["test"]["accuracy"],
            }
        )
    rows = finished("budget")
    print(f"kept in {sum(row['kept'] for row in rows)} of {len(rows)} runs")


def proxy() -> None:
    """Rank correlation with what was lost, and the error of the line that the other runs give."""
    rows = [row for row in (*finished("spectrum"), *finished("budget")) if row.get("agreement") is not None]
    lost = np.array([row["lost"] for row in rows])
    for name, values in (
        ("1 - agreement", np.array([1 - row["agreement"] for row in rows])),
        ("feature drift", np.array([row["feature_drift"] for row in rows])),
    ):
        if len(rows) < 4:
            print(f"{len(rows)} rows: run `spectrum` or `budget` first")
            return
        errors = []
        for out in range(len(rows)):
            rest = np.arange(len(rows)) != out
            slope, start = np.polyfit(values[rest], lost[rest], 1)
            errors.append((abs(slope * values[out] + start - lost[out]), abs(lost[rest].mean() - lost[out])))
        ours, mean = (100 * float(np.mean(one)) for one in zip(*errors, strict=True))
        rank = spearmanr(values, lost).statistic
        print(
            f"{name}: Spearman {rank:.2f} over {len(rows)} runs; loss predicted to {ours:.1f} points by a line "
            f"through the other runs, {mean:.1f} by their mean"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("part", choices=["spectrum", "budget", "proxy"])
    parser.add_argument("--tasks", default="blood_cells", help="of `spectrum`, with commas between")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--runs", type=int, default=24)
    parser.add_argument("--source-samples", type=int, default=2000)
    parser.add_argument("--shots", type=int, help="training samples per class of the target; default: all")
    arguments = parser.parse_args()
    RESULTS.parent.mkdir(exist_ok=True)
    if arguments.part == "spectrum":
        spectrum(arguments.epochs, arguments.tasks.split(","), arguments.source_samples, arguments.shots)
    elif arguments.part == "budget":
        budget(arguments.runs, arguments.epochs, arguments.source_samples, arguments.shots)
    else:
        proxy()


if __name__ == "__main__":
    main()
