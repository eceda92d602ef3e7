"""Evidence for every cell that the oracle has rows of: what `regraft.measure` finds on the training part alone.

    uv run python benchmarks/verdict/gather.py [--minutes 20]
    uv run python benchmarks/verdict/gather.py --raced 120 [--shots all] [--backbones minilm]

Rows are kept in results/evidence.jsonl; a run goes on where the last one stopped. With `--raced`, cells with so many
labels whose strategies the oracle has run are looked at as `regraft recommend` does with so many seconds, trials included.
"""

import argparse
import math
import time
import warnings
from dataclasses import asdict
from typing import Any

import torch
from grid import ALL, WORK, Cell, part, trunk
from rows import EVIDENCE, ORACLE, cell_of, keep, lines

from regraft import api
from regraft.activations import engine
from regraft.core import RegraftError


def gathered(cell: Cell, raced: float) -> dict[str, Any]:
    """One row of evidence for a cell; what `recommend` finds in so many seconds, or all measurements without a trial."""
    found, loaded = part(cell.task, cell.shots, cell.seed), trunk(cell.backbone)
    place = api.Resources(cache_dir=WORK / "cache", offline=True)
    begun = time.perf_counter()
    if raced:
        settings = api.Settings(seed=cell.seed)
        told = api.recommend(found.task, loaded, budget_seconds=raced, settings=settings, resources=place)
        (evidence,) = told.evidence
    else:
        evidence = api.measure(found.task, loaded, resources=place, seed=cell.seed)
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
        "raced": raced,
    }


def _plain(value: float) -> float | None:
    return round(value, 5) if math.isfinite(value) else None


def wanted(raced: float, shots: str) -> list[Cell]:
    """Cells of the oracle that lack evidence, or trials where these are asked for; trials of so many labels alone."""
    have = {cell_of(row) for row in lines(EVIDENCE) if row.get("raced", 0) >= raced}
    rows = lines(ORACLE)
    tuned = {cell_of(row) for row in rows if row["shots"] == shots and row["strategy"] == "lp-ft"}
    return [cell for cell in dict.fromkeys(map(cell_of, rows)) if cell not in have and (not raced or cell in tuned)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--raced", type=float, default=0, help="seconds of a recommendation")
    parser.add_argument("--shots", default=ALL, help="which cells are raced")
    parser.add_argument("--backbones", default="", help="only these")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    engine.BREAK_EVEN.update(image=1 << 30, text=1 << 30)
    begun = time.monotonic()
    for cell in wanted(arguments.raced, arguments.shots):
        if time.monotonic() - begun > 60 * arguments.minutes:
            return
        if arguments.backbones and cell.backbone not in arguments.backbones.split(","):
            continue
        try:
            taken = gathered(cell, arguments.raced)
        except RegraftError as error:
            print(f"{cell}: {error}", flush=True)
            continue
        keep(EVIDENCE, taken, cell_of)
        print(f"{cell.task:14} {cell.backbone:12} {cell.shots:>3} {cell.seed} in {taken['seconds']:.1f} s", flush=True)


if __name__ == "__main__":
    main()
