"""Validation results of whole-model tuning at several rates: what the default rate of narrow text trunks rests on.

    uv run python benchmarks/rates.py

No test part is read. Rows are appended to results/rates.jsonl. Needs the real data (REGRAFT_SHARED or ../shared).
"""

import json
import os
from pathlib import Path

from regraft import api

SHARED = Path(os.environ.get("REGRAFT_SHARED") or Path(__file__).resolve().parents[2] / "shared")
RESULTS = Path(__file__).parent / "results" / "rates.jsonl"
EPOCHS = 4


def main() -> None:
    RESULTS.parent.mkdir(exist_ok=True)
    for name in ("snips_slots", "banking77"):
        task = api.open_task(SHARED / "data" / "text" / name)
        for rate in (5e-5, 1e-4, 2e-4, 4e-4):
            settings = api.Settings(epochs=EPOCHS, learning_rate=rate)
            found = api.fit(task, "full-fine-tuning", settings=settings).results["validation"]
            row = {
                "task": name,
                "rate": rate,
                "epochs": EPOCHS,
                "metric": task.metric,
                "validation": round(found[task.metric], 4),
            }
            with RESULTS.open("a") as file:
                file.write(json.dumps(row) + "\n")
            print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
