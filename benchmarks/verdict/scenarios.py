"""Measure the data of every scenario and keep the measurements in the package.

    uv run python benchmarks/verdict/scenarios.py [NAME …]

Needs the real data (REGRAFT_SHARED or ../shared). Writes src/regraft/scenarios/stored/NAME.json.
"""

import json
import os
import sys
import warnings
from pathlib import Path

from grid import SHARED, WORK

from regraft import api
from regraft.scenarios import SCENARIOS, graded
from regraft.scenarios.measured import measured, to_store

STORED = Path(__file__).parents[2] / "src" / "regraft" / "scenarios" / "stored"
BUDGET_SECONDS = 300.0


def main(names: list[str]) -> None:
    warnings.simplefilter("ignore")
    os.environ.setdefault("REGRAFT_SHARED", str(SHARED))
    for scenario in SCENARIOS:
        if names and scenario.name not in names:
            continue
        resources = api.Resources(cache_dir=WORK / "cache")
        advice, task = measured(scenario, resources=resources, budget_seconds=BUDGET_SECONDS)
        (STORED / f"{scenario.name}.json").write_text(json.dumps(to_store(advice, task).to_json(), indent=1) + "\n")
        found = graded(scenario, None, advice, "measured now")
        print(
            scenario.number,
            scenario.name,
            found.verdict.right,
            found.verdict.why[0],
            f"{advice.seconds:.0f} s",
            flush=True,
        )


if __name__ == "__main__":
    main(sys.argv[1:])
