"""Every strategy on every task, as a table: test accuracy, and what transfer gains over the same network from scratch.

    uv run python benchmarks/spectrum.py > benchmarks/results/spectrum.md
    uv run python benchmarks/spectrum.py --backbone imagenet-96 --shots 10 [--gain full-fine-tuning] [--complete]

Reads results/oracle.jsonl, which `verdict/oracle.py` writes. A task's gain has a 95 % interval: seeds are drawn with
replacement and each accuracy moves by what a test part of its size lets it move (the two are taken for independent,
which makes the interval too wide rather than too narrow). The mean gain is drawn over tasks.
"""

import argparse
import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

ROWS = Path(__file__).parent / "results" / "oracle.jsonl"
SCRATCH = "from-scratch"
DRAWS = 10_000

Row = dict[str, Any]
Cells = dict[str, dict[str, dict[int, Row]]]  # task, arm, seed


def read(backbone: str, shots: str) -> Cells:
    """The rows of a backbone with so many labels a class."""
    found: Cells = defaultdict(lambda: defaultdict(dict))
    for line in ROWS.read_text().splitlines():
        row = json.loads(line)
        if (row["backbone"], row["shots"]) == (backbone, shots):
            arm = row["strategy"] + ("" if row["asked"] == "default" else f"@{row['asked']}")
            found[row["task"]][arm][row["seed"]] = row
    return found


def complete(cells: Cells) -> Cells:
    """Only the tasks that every arm was run on, as often as any arm: their means can be compared."""
    arms = {arm for by_arm in cells.values() for arm in by_arm}
    most = max(len(rows) for by_arm in cells.values() for rows in by_arm.values())
    return {task: by_arm for task, by_arm in cells.items() if all(len(by_arm.get(arm, {})) == most for arm in arms)}


def draws(rows: dict[int, Row], seeds: list[int], rng: np.random.Generator) -> NDArray[np.float64]:
    """Accuracies as they might have come out: another draw of seeds, another test part of the same size."""
    metrics = np.array([rows[seed]["metric"] for seed in seeds])
    spread = np.sqrt(np.clip(metrics * (1 - metrics), 0, None) / np.array([rows[seed]["test"] for seed in seeds]))
    taken = rng.integers(len(seeds), size=(DRAWS, len(seeds)))
    # The test part is the same for all seeds: it moves them together.
    found: NDArray[np.float64] = metrics[taken].mean(axis=1) + rng.standard_normal(DRAWS) * spread.mean()
    return found


def accuracies(cells: Cells) -> None:
    """Mean accuracy over seeds, a column an arm."""
    arms = sorted({arm for by_arm in cells.values() for arm in by_arm})
    print(f"| task | {' | '.join(arms)} |\n| --- |{' ---: |' * len(arms)}")
    for task, by_arm in sorted(cells.items()):
        means = [np.mean([row["metric"] for row in by_arm[arm].values()]) if by_arm[arm] else np.nan for arm in arms]
        best = np.nanmax(means)
        shown = ["" if np.isnan(one) else f"**{one:.3f}**" if one == best else f"{one:.3f}" for one in means]
        print(f"| {task} | {' | '.join(shown)} |")
    means = [
        np.mean([np.mean([row["metric"] for row in by_arm[arm].values()]) for by_arm in cells.values() if by_arm[arm]])
        for arm in arms
    ]
    counts = [sum(bool(by_arm[arm]) for by_arm in cells.values()) for arm in arms]
    print(f"| mean (tasks) | {' | '.join(f'{one:.3f} ({count})' for one, count in zip(means, counts, strict=True))} |")


def gains(cells: Cells, arm: str) -> None:
    """What an arm gains over scratch on every task, and on average."""
    rng = np.random.default_rng(0)
    print(f"\n| task | {arm} | {SCRATCH} | gain | 95 % | seeds |\n| --- | ---: | ---: | ---: | --- | ---: |")
    each = []
    for task, by_arm in sorted(cells.items()):
        seeds = sorted(by_arm[arm].keys() & by_arm[SCRATCH].keys())
        if not seeds:
            continue
        means = [float(np.mean([by_arm[one][seed]["metric"] for seed in seeds])) for one in (arm, SCRATCH)]
        moved = draws(by_arm[arm], seeds, rng) - draws(by_arm[SCRATCH], seeds, rng)
        low, high = 100 * np.percentile(moved, [2.5, 97.5])
        each.append(means[0] - means[1])
        print(
            f"| {task} | {means[0]:.3f} | {means[1]:.3f} | {100 * each[-1]:+.1f} | {low:+.1f} to {high:+.1f} | {len(seeds)} |"
        )
    if not each:
        print("\nNothing was trained from scratch with so many labels.")
        return
    over = rng.choice(each, (DRAWS, len(each))).mean(axis=1)
    low, high = 100 * np.percentile(over, [2.5, 97.5])
    print(f"\nmean gain over {len(each)} tasks: {100 * np.mean(each):+.1f} points [{low:+.1f}, {high:+.1f}]")


WHOLE = (
    ("imagenet-96", "10", "feature-extraction@all"),
    ("imagenet-96", "all", "full-fine-tuning"),
    ("resnet-small", "10", "feature-extraction"),
    ("resnet-small", "all", "feature-extraction@all"),
    ("minilm", "10", "feature-extraction@all"),
    ("minilm", "50", "feature-extraction@all"),
    ("minilm", "all", "full-fine-tuning"),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backbone", default="", help="as verdict/grid.py names it; default: all of them")
    parser.add_argument("--shots", default="10")
    parser.add_argument("--gain", default="feature-extraction", help="the arm whose gain over scratch is told")
    parser.add_argument("--complete", action="store_true", help="only tasks on which every strategy has all its seeds")
    arguments = parser.parse_args()
    if arguments.backbone:
        cells = read(arguments.backbone, arguments.shots)
        cells = complete(cells) if arguments.complete else cells
        accuracies(cells)
        gains(cells, arguments.gain)
        return
    print(
        "# Every strategy on every task\n\nMade by `uv run python benchmarks/spectrum.py`; test metric, mean over seeds."
    )
    for backbone, shots, arm in WHOLE:
        print(f"\n## {backbone}, {'all labels' if shots == 'all' else f'{shots} labels a class'}\n")
        cells = read(backbone, shots)
        accuracies(cells)
        gains(cells, arm)


if __name__ == "__main__":
    main()
