"""Seconds that `recommend` foresees for a fit, against those that the fit takes.

    uv run python benchmarks/costs.py [--minutes 20]
    uv run python benchmarks/costs.py --summary

Each task on a backbone is recommended for once, from an empty cache; then the best choice of each strategy is fitted, as
it was foreseen. Rows go to results/costs.jsonl, a run goes on where the last one stopped. What else the machine does
meanwhile counts against the forecast.
"""

import argparse
import json
import os
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np

from regraft import api
from regraft.core import Task
from regraft.demo import intents_folder
from regraft.tasks import few_shot

RESULTS = Path(__file__).parent / "results" / "costs.jsonl"
SHARED = Path(os.environ.get("REGRAFT_SHARED") or Path(__file__).resolve().parents[2] / "shared")
BUDGET = 20.0  # seconds of a recommendation
# Task, backbone, labels a class (0 = all).
CASES = (
    ("intents", "bundled:minilm", 0),
    ("vision/hymenoptera", "bundled:resnet-small", 0),
    ("vision/omniglot20", "bundled:resnet-small", 0),
    ("vision/neu_steel", "bundled:resnet-small", 0),
    ("text/trec6", "bundled:minilm", 20),
    ("text/sst2", "bundled:minilm", 100),
    ("vision/flowers5", "models/mobilenetv2_100.imagenet", 20),
)


def opened(name: str, shots: int) -> Task:
    """The task, with so many labels a class."""
    task = api.open_task(intents_folder() if name == "intents" else SHARED / "data" / name)
    return few_shot(task, shots, seed=0) if shots else task


def measure(minutes: float) -> None:
    """A row for every case and strategy that has none."""
    begun = time.monotonic()
    rows = [json.loads(line) for line in RESULTS.read_text().splitlines()] if RESULTS.exists() else []
    done = {(row["task"], row["backbone"], row["shots"]) for row in rows}
    for name, backbone, shots in CASES:
        if (name, backbone, shots) in done:
            continue
        task, weights = opened(name, shots), backbone if ":" in backbone else str(SHARED / backbone)
        with tempfile.TemporaryDirectory() as folder:
            place = api.Resources(cache_dir=Path(folder), offline=True)
            choices = api.recommend(task, weights, budget_seconds=BUDGET, resources=place).choices
            best = {choice.strategy: choice for choice in reversed(choices)}
            for strategy, choice in best.items():
                if time.monotonic() - begun > 60 * minutes:
                    return
                started = time.perf_counter()
                api.fit(task, choice, resources=place)
                taken = time.perf_counter() - started
                row = {
                    "task": name,
                    "backbone": backbone,
                    "shots": shots,
                    "strategy": strategy,
                    "boundary": choice.boundary,
                    "foreseen": round(choice.cost_seconds, 2),
                    "taken": round(taken, 2),
                }
                with RESULTS.open("a") as file:
                    file.write(json.dumps(row) + "\n")
                print(row, flush=True)


def summary() -> None:
    """How many times as long as foreseen a fit took: median and range of the middle 80 %, and whether ranks agree."""
    rows = [json.loads(line) for line in RESULTS.read_text().splitlines()]
    for strategy in [*dict.fromkeys(row["strategy"] for row in rows), ""]:
        mine = [row for row in rows if strategy in {"", row["strategy"]}]
        low, middle, high = np.quantile([row["taken"] / row["foreseen"] for row in mine], [0.1, 0.5, 0.9])
        print(
            f"{strategy or 'all':22} {len(mine):3} fits: taken / foreseen {middle:.2f}, 80 % between {low:.2f} and {high:.2f}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--summary", action="store_true", help="only what the rows say")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    if not arguments.summary:
        measure(arguments.minutes)
    summary()


if __name__ == "__main__":
    main()
