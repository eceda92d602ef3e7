"""Every strategy on every task, by the test part: what a recommendation is held against.

    uv run python benchmarks/verdict/oracle.py --minutes 20 [--shots 10,all] [--seeds 0,1,2] [--backbones minilm,…]

Rows are kept in results/oracle.jsonl, the cheapest first; a run goes on where the last one stopped. Trials are kept
by content under REGRAFT_VERDICT (default: in regraft's cache) as `regraft compare` keeps them. Pictures are read at 96 pixels.
"""

import argparse
import time
import warnings
from dataclasses import asdict

import torch
from grid import ARMS, BACKBONES, MAIN, WORK, Cell, cells, part, trunk, weights
from rows import ORACLE as ROWS
from rows import keep, lines

from regraft import api
from regraft.activations import engine
from regraft.comparing.trials import Bench, Trial
from regraft.core import RegraftError, Train

DEVICE = torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu"
RESOURCES = api.Resources(cache_dir=WORK / "cache", offline=True)
PIXEL_WORK, TOKEN_WORK = 3.0, 0.05  # relative work of a picture at 96 pixels and of a character: for the order only


TUNED = {strategy for strategy, _ in ARMS} - {"feature-extraction", "from-scratch"}


def known(*, rated: bool) -> set[tuple[str, ...]]:
    """The runs that have a row; where `rated`, of what is tuned only those that say at which rate."""
    return {key(row) for row in lines(ROWS) if not rated or "rate" in row or row["strategy"] not in TUNED}


def key(row: dict[str, object]) -> tuple[str, ...]:
    return tuple(str(row[name]) for name in ("task", "backbone", "shots", "seed", "strategy", "asked"))


def size(cell: Cell) -> float:
    """How much work a cell is, roughly: samples times what one of them costs."""
    found = part(cell.task, cell.shots, cell.seed)
    if BACKBONES[cell.backbone][0] == "image":
        return found.labels * PIXEL_WORK
    some = found.task.train.samples[:200]
    return found.labels * TOKEN_WORK * sum(len(one.text) for one in some) / len(some)  # type: ignore[union-attr]


def bench(cell: Cell, boundary: str | None) -> Bench:
    folder = WORK / "trials"
    folder.mkdir(parents=True, exist_ok=True)
    settings = api.Settings(boundary=boundary, seed=cell.seed)
    return Bench(weights(cell.backbone), trunk(cell.backbone), settings, RESOURCES, folder, exact=True)


def row_of(cell: Cell, boundary: str | None, trial: Trial) -> dict[str, object]:
    found = part(cell.task, cell.shots, cell.seed)
    return {
        **asdict(cell),
        "strategy": trial.strategy,
        "asked": boundary or "default",
        "boundary": trial.boundary,
        "metric": round(trial.metric, 5),
        "validation": round(trial.validation, 5),
        "train": len(found.task.train),
        "labels": trial.labels,
        "test": len(found.task.splits["test"]),
        "classes": len(found.task.classes),
        "epochs": len(trial.steps),
        "rate": max((max(phase.rates) for phase in trial.plan.phases if isinstance(phase, Train)), default=0.0),
        "seconds": round(trial.seconds, 2),
        "training_seconds": round(trial.training_seconds, 2),
        "name": found.task.metric,
        "device": DEVICE,
    }


def run(cell: Cell, strategy: str, boundary: str | None) -> dict[str, object]:
    found, place = part(cell.task, cell.shots, cell.seed), bench(cell, boundary)
    return row_of(cell, boundary, place.kept(strategy, found) or place.run(strategy, found))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--backbones", default="minilm,imagenet-96")
    parser.add_argument("--shots", default="10")
    parser.add_argument("--seeds", default="0")
    parser.add_argument("--main", action="store_true", help="only the arms that matter most")
    parser.add_argument("--tasks", default="", help="only these")
    parser.add_argument("--strategies", default="", help="only these")
    parser.add_argument(
        "--again", action="store_true", help="also what was tuned before rows told the rate: it may be another"
    )
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    # Each tuned trunk is used once: converting it for a faster engine would cost more than it saves.
    engine.BREAK_EVEN.update(image=1 << 30, text=1 << 30)
    begun, done = time.monotonic(), known(rated=arguments.again)
    wanted = list(
        cells(
            arguments.backbones.split(","), arguments.shots.split(","), [int(one) for one in arguments.seeds.split(",")]
        )
    )
    if arguments.tasks:
        wanted = [cell for cell in wanted if cell.task in arguments.tasks.split(",")]
    for cell in sorted(wanted, key=size):
        for strategy, boundary in MAIN if arguments.main else ARMS:
            if arguments.strategies and strategy not in arguments.strategies.split(","):
                continue
            if key({**asdict(cell), "strategy": strategy, "asked": boundary or "default"}) in done:
                continue
            if time.monotonic() - begun > 60 * arguments.minutes:
                return
            try:
                row = run(cell, strategy, boundary)
            except RegraftError as error:
                print(f"{cell} {strategy}: {error}", flush=True)
                continue
            keep(ROWS, row, key)
            print(
                f"{time.monotonic() - begun:6.0f} s  {cell.task:14} {cell.backbone:12} {cell.shots:>3} {cell.seed} "
                f"{strategy:20} {row['asked']:8} {row['metric']:.3f} in {row['seconds']:.1f} s",
                flush=True,
            )


if __name__ == "__main__":
    main()
