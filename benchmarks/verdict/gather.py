"""Evidence for every cell that the oracle has rows of: what `regraft.measure` finds on the training part alone.

    uv run python benchmarks/verdict/gather.py [--minutes 20]

Rows are appended to results/evidence.jsonl; a run goes on where the last one stopped.
"""

import argparse
import json
import math
import time
import warnings
from dataclasses import asdict
from typing import Any

import torch
from grid import WORK, part, trunk
from rows import EVIDENCE, ORACLE, cell_of, lines

from regraft import api
from regraft.activations import engine
from regraft.core import RegraftError


def gathered(row: dict[str, Any]) -> dict[str, Any]:
    """One row of evidence for the cell of an oracle's row."""
    cell = cell_of(row)
    found, loaded = part(cell.task, cell.shots, cell.seed), trunk(cell.backbone)
    begun = time.perf_counter()
    evidence = api.measure(
        found.task, loaded, resources=api.Resources(cache_dir=WORK / "cache", offline=True), seed=cell.seed
    )
    return {
        **asdict(cell),
        "summary": asdict(found.task.summary()),
        "labels": found.labels,
        "outline": {
            "name": loaded.outline.name,
            "family": loaded.outline.family,
            "stages": [[stage.name, stage.parameters, stage.width] for stage in loaded.outline],
        },
        "measurements": {
            one.name: [_plain(value) for value in (one.value, one.low, one.high, one.seconds)] for one in evidence
        },
        "seconds": round(time.perf_counter() - begun, 2),
    }


def _plain(value: float) -> float | None:
    return round(value, 5) if math.isfinite(value) else None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=20)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    engine.BREAK_EVEN.update(image=1 << 30, text=1 << 30)
    begun, done = time.monotonic(), {cell_of(row) for row in lines(EVIDENCE)}
    for row in lines(ORACLE):
        cell = cell_of(row)
        if cell in done:
            continue
        if time.monotonic() - begun > 60 * arguments.minutes:
            return
        done.add(cell)
        try:
            taken = gathered(row)
        except RegraftError as error:
            print(f"{cell}: {error}", flush=True)
            continue
        with EVIDENCE.open("a") as file:
            file.write(json.dumps(taken) + "\n")
        print(f"{cell.task:14} {cell.backbone:12} {cell.shots:>3} {cell.seed} in {taken['seconds']:.1f} s", flush=True)


if __name__ == "__main__":
    main()
