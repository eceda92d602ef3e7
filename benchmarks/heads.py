"""Tagged words, questions, pairs and quantities with the bundled MiniLM, against the floors of the data's READMEs.

    uv run python benchmarks/heads.py [--tasks snips_slots,mrpc] [--seeds 1]

Every strategy at its defaults; the test part is looked at once, at the end of each run. Goes on where it was stopped.
Rows are appended to results/heads.jsonl. Needs the real data (REGRAFT_SHARED or ../shared).
"""

import argparse
import json
import os
from pathlib import Path

from regraft import api

SHARED = Path(os.environ.get("REGRAFT_SHARED") or Path(__file__).resolve().parents[2] / "shared")
RESULTS = Path(__file__).parent / "results" / "heads.jsonl"

# Task: (metric, floor of its README). Floors: most frequent tag of each token; best sentence by words in common;
# overlap features.
FLOORS = {
    "snips_slots": ("entity_f1", 0.482),
    "ncbi_disease": ("entity_f1", 0.452),
    "wnut17": ("entity_f1", 0.094),
    "mrpc": ("accuracy", 0.733),
    "stsb": ("pearson", 0.527),
    "squad": ("f1", 0.193),
}
STRATEGIES = ("feature-extraction", "full-fine-tuning")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", default=",".join(FLOORS))
    parser.add_argument("--strategies", default=",".join(STRATEGIES))
    parser.add_argument("--seeds", type=int, default=1)
    arguments = parser.parse_args()
    RESULTS.parent.mkdir(exist_ok=True)
    rows = [json.loads(line) for line in RESULTS.read_text().splitlines()] if RESULTS.exists() else []
    done = {(row["task"], row["strategy"], row["seed"]) for row in rows}
    for name in arguments.tasks.split(","):
        task = api.open_task(SHARED / "data" / "text" / name)
        metric, floor = FLOORS[name]
        for strategy in arguments.strategies.split(","):
            for seed in range(arguments.seeds):
                if (name, strategy, seed) in done:
                    continue
                model = api.fit(task, strategy, settings=api.Settings(seed=seed))
                found = model.results["test"]
                row = {
                    "task": name,
                    "strategy": strategy,
                    "seed": seed,
                    "metric": metric,
                    "floor": floor,
                    "test": round(found[metric], 4),
                    "interval": [round(value, 4) for value in found["intervals"][metric]],
                    "all": {key: round(value, 4) for key, value in found.items() if key != "intervals"},
                    "epochs": len(model.run.steps),
                    "seconds": round(model.run.seconds["total"]),
                }
                with RESULTS.open("a") as file:
                    file.write(json.dumps(row) + "\n")
                print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
