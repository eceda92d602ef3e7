"""What bundled:resnet-small is worth: frozen features against the same network from scratch, on 12 vision tasks.

    uv run python benchmarks/bundled.py [--shots 10,all] [--seeds 3] [--tasks dtd10,…] [--out runs/bundled]
    uv run python benchmarks/bundled.py --summary

Goes on where it was stopped; one row per trial in results/bundled.jsonl. The mean gain comes with a 95 % interval:
bootstrap over tasks, whose seeds stay together.
"""

import argparse
import json
import os
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np

RESULTS = Path(__file__).parent / "results" / "bundled.jsonl"
STRATEGIES = ("feature-extraction", "from-scratch")
RESAMPLES = 10_000


def shared_folder() -> Path:
    """The folder of real data and weights."""
    return Path(os.environ.get("REGRAFT_SHARED") or Path(__file__).resolve().parents[2] / "shared")


def measure(arguments: argparse.Namespace) -> None:
    """Run what has no row yet."""
    from regraft import api, comparing

    vision = shared_folder() / "data" / "vision"
    names = (
        arguments.tasks.split(",") if arguments.tasks else sorted(one.name for one in vision.iterdir() if one.is_dir())
    )
    shots = [None if one == "all" else int(one) for one in arguments.shots.split(",")]
    known = {(row["task"], row["backbone"], row["shots"], row["seed"], row["strategy"]) for row in rows()}
    for name in names:
        task = api.open_task(vision / name)

        def kept(trial: comparing.Trial, name: str = name) -> None:
            if (name, arguments.backbone, trial.shots, trial.seed, trial.strategy) in known:
                return
            row = {
                "task": name,
                "backbone": arguments.backbone,
                "strategy": trial.strategy,
                "shots": trial.shots,
                "seed": trial.seed,
                "accuracy": trial.metric,
                "validation": trial.validation,
                "seconds": round(trial.seconds, 2),
            }
            with RESULTS.open("a") as file:
                file.write(json.dumps(row) + "\n")
            print(f"{name:14} {trial.shots:>4} {trial.seed} {trial.strategy:20} {trial.metric:.3f}", file=sys.stderr)

        comparing.compare(
            task,
            Path(arguments.out) / name,
            strategies=STRATEGIES,
            backbone=arguments.backbone,
            seeds=arguments.seeds,
            shots=shots,
            on_trial=kept,
        )


def rows() -> list[dict]:
    """What was measured so far."""
    return [json.loads(line) for line in RESULTS.read_text().splitlines()] if RESULTS.exists() else []


def summarise(backbone: str) -> None:
    """Accuracies by task, and the mean gain with its interval."""
    found: dict[tuple[str, str], dict[str, dict[int, float]]] = defaultdict(lambda: defaultdict(dict))
    for row in rows():
        if row["backbone"] == backbone:
            found[row["shots"], row["task"]][row["strategy"]][row["seed"]] = row["accuracy"]
    for shots in sorted({shots for shots, _ in found}):
        gains = []
        print(
            f"\n{shots} shots\n| task | feature extraction | from scratch | gain | seeds |\n| --- | ---: | ---: | ---: | ---: |"
        )
        for (at, task), by_strategy in sorted(found.items()):
            frozen, scratch = (by_strategy[one] for one in STRATEGIES)
            seeds = sorted(frozen.keys() & scratch.keys())
            if at != shots or not seeds:
                continue
            means = [float(np.mean([values[seed] for seed in seeds])) for values in (frozen, scratch)]
            gains.append(means[0] - means[1])
            print(f"| {task} | {means[0]:.3f} | {means[1]:.3f} | {100 * gains[-1]:+.1f} | {len(seeds)} |")
        rng = np.random.default_rng(0)
        draws = np.mean(rng.choice(gains, (RESAMPLES, len(gains))), axis=1)
        low, high = np.percentile(draws, [2.5, 97.5])
        print(
            f"mean gain over {len(gains)} tasks: {100 * np.mean(gains):+.1f} points [{100 * low:+.1f}, {100 * high:+.1f}]"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backbone", default="bundled:resnet-small")
    parser.add_argument("--shots", default="10,all")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--tasks", default="")
    parser.add_argument("--out", default="runs/bundled")
    parser.add_argument("--summary", action="store_true", help="only show what was measured")
    arguments = parser.parse_args()
    RESULTS.parent.mkdir(exist_ok=True)
    if not arguments.summary:
        measure(arguments)
    summarise(arguments.backbone)


if __name__ == "__main__":
    main()
