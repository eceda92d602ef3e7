"""What ImageNet accuracy tuning costs, by strategy, and whether a budget is kept.

    uv run python benchmarks/forgetting.py spectrum    every strategy on blood_cells: ImageNet before and after
    uv run python benchmarks/forgetting.py budget      2 % budgets on several tasks, seeds and rates

`mobilenetv2_100.imagenet`, measured by its own head on tiny-imagenet's validation pictures (64 px, upscaled), answers
restricted to the classes that both know. Budgets: half of these pictures choose, the other half reports.
Rows are appended to results/forgetting.jsonl; a run goes on where it was stopped.
"""

import argparse
import json
import os
from pathlib import Path
from typing import Any

from regraft import api, keeping
from regraft.core import Task

SHARED = Path(os.environ.get("REGRAFT_SHARED") or Path(__file__).resolve().parents[2] / "shared")
WEIGHTS = str(SHARED / "models" / "mobilenetv2_100.imagenet")
RESULTS = Path(__file__).parent / "results" / "forgetting.jsonl"
SPECTRUM = (
    ("feature-extraction", {}),
    ("partial-fine-tuning", {}),
    ("lora", {}),
    ("full-fine-tuning", {}),
    ("full-fine-tuning", {"penalty": "l2-sp"}),
    ("full-fine-tuning", {"penalty": "lwf"}),
    ("lp-ft", {}),
    ("gradual-unfreezing", {}),
)
BUDGET_TASKS = ("blood_cells", "neu_steel", "flowers5", "hymenoptera")
BUDGET = 0.02


def finished() -> list[dict[str, Any]]:
    return [json.loads(line) for line in RESULTS.read_text().splitlines()] if RESULTS.exists() else []


def report(row: dict[str, Any]) -> None:
    with RESULTS.open("a") as file:
        file.write(json.dumps(row) + "\n")
    print(json.dumps(row), flush=True)


def source() -> Task:
    return api.open_task(SHARED / "data" / "tiny-imagenet" / "val-000.tar.gz")


def spectrum(epochs: int) -> None:
    task, data = api.open_task(SHARED / "data" / "vision" / "blood_cells"), source()
    done = {(row["strategy"], json.dumps(row["options"])) for row in finished() if row["benchmark"] == "spectrum"}
    for strategy, options in SPECTRUM:
        if (strategy, json.dumps(options)) in done:
            continue
        settings = api.Settings(epochs=None if strategy == "feature-extraction" else epochs, **options)
        model = api.fit(task, strategy, backbone=WEIGHTS, settings=settings)
        found = keeping.forgetting_of(model, data, task.splits["test"].samples, store=api.Resources().store())
        report(
            {
                "benchmark": "spectrum",
                "strategy": strategy,
                "options": options,
                "epochs": epochs,
                "test": model.results["test"]["accuracy"],
                **(found or {}),
            }
        )


def budget(runs: int, epochs: int) -> None:
    """The loss on the reporting half, against the budget; rates up to ten times the default, so that there is some."""
    data = source()
    done = {(row["task"], row["seed"], row["rate"]) for row in finished() if row["benchmark"] == "budget"}
    plans = [(name, seed, rate) for seed in range(runs) for rate in (1e-4, 1e-3) for name in BUDGET_TASKS]
    for name, seed, rate in plans[:runs]:
        if (name, seed, rate) in done:
            continue
        task = api.open_task(SHARED / "data" / "vision" / name)
        model = api.fit(
            task,
            "full-fine-tuning",
            backbone=WEIGHTS,
            settings=api.Settings(epochs=epochs, seed=seed, learning_rate=rate),
            budget=api.SourceBudget(data, BUDGET),
        )
        found = model.forgetting or {}
        report(
            {
                "benchmark": "budget",
                "task": name,
                "seed": seed,
                "rate": rate,
                "budget": BUDGET,
                "alpha": found["alpha"],
                "lost": found["held_out"]["lost"],
                "kept": found["held_out"]["lost"] <= BUDGET,
                "tuned_lost": found["curve"][-1]["lost"],
                "target_cost": found["target_cost"],
                "test": model.results["test"]["accuracy"],
            }
        )
    rows = [row for row in finished() if row["benchmark"] == "budget"]
    print(f"kept in {sum(row['kept'] for row in rows)} of {len(rows)} runs")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("part", choices=["spectrum", "budget"])
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--runs", type=int, default=24)
    arguments = parser.parse_args()
    RESULTS.parent.mkdir(exist_ok=True)
    if arguments.part == "spectrum":
        spectrum(arguments.epochs)
    else:
        budget(arguments.runs, arguments.epochs)


if __name__ == "__main__":
    main()
