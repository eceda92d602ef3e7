"""How good the recommendation is: regret, coverage and cost against the oracle, leaving the judged task out.

    uv run python benchmarks/verdict/verdict.py score [--all-arms]   prints the table, writes results/verdict.json and verdict.svg
    uv run python benchmarks/verdict/verdict.py fit   [--all-arms]   writes src/regraft/recommending/prior.json

Needs results/oracle.jsonl (oracle.py) and results/evidence.jsonl (gather.py). Regret is the test metric of the best arm
less that of the arm picked, in points. A learned prior is always fitted on the other tasks, and shipped only where its
mean regret is smaller than that of the fixed rules.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from grid import ARMS, MAIN, RESULTS
from learning import learned, learned_json
from policies import (
    Policy,
    always,
    best_elsewhere,
    by_learning,
    by_rules,
    calibrated,
    classical,
    engine,
    expected_with_trials,
)
from rows import PROBE, Known, arm, known

PRIOR = Path(__file__).parents[2] / "src" / "regraft" / "recommending" / "prior.json"
COMMAND = "uv run python benchmarks/verdict/verdict.py fit"
FEWEST_TASKS = 6
BY_LABELS = (
    "recommended (learned prior)",
    "four classical rules",
    "always feature-extraction@all",
    "always full-fine-tuning",
)


def regrets(policy: Policy, cells: Sequence[Known]) -> dict[Any, float]:
    """Points lost in each cell, the task left out of all that the policy learns from."""
    found = {}
    for cell in cells:
        others = [one for one in cells if one.cell.task != cell.cell.task]
        found[cell.cell] = 100 * (max(cell.reached.values()) - cell.reached[policy(cell, others)])
    return found


def policies(cells: Sequence[Known]) -> dict[str, Policy]:
    fixed = {f"always {name}": always(name) for name in cells[0].reached if all(name in one.reached for one in cells)}
    return {
        "recommended (learned prior)": by_learning,
        "recommended (fixed rules as prior)": by_rules,
        "four classical rules": classical,
        "best fixed policy on the other tasks": best_elsewhere,
        **fixed,
    }


def coverage(cells: Sequence[Known], *, learn: bool) -> dict[str, float]:
    """Share of test results inside the 80 % intervals: of what was picked, and of all arms."""
    picked, every = [], []
    for cell in cells:
        others = [one for one in cells if one.cell.task != cell.cell.task]
        pick = engine(cell, learned(others) if learn else calibrated(others))
        inside = {name: low <= cell.reached[name] <= high for name, (low, _, high) in pick.intervals.items()}
        picked.append(inside[pick.arm])
        every += inside.values()
    return {"picked": float(np.mean(picked)), "all": float(np.mean(every))}


def summary(cells: Sequence[Known], every: Sequence[Known]) -> dict[str, Any]:
    """Everything that the table and the figure show, of the arms that all cells have; trials of every arm that ran."""
    table, losses = {}, {name: regrets(policy, cells) for name, policy in policies(cells).items()}
    for name, lost in losses.items():
        table[name] = {
            "mean": round(float(np.mean(list(lost.values()))), 2),
            "worst": round(max(lost.values()), 2),
            "mean_over_tasks": round(_by_task(lost), 2),
            "each": [round(value, 2) for value in lost.values()],
        }
    return {
        "cells": len(cells),
        "tasks": sorted({cell.cell.task for cell in cells}),
        "shots": sorted({cell.cell.shots for cell in cells}),
        "backbones": sorted({cell.cell.backbone for cell in cells}),
        "seeds": sorted({cell.cell.seed for cell in cells}),
        "arms": sorted(cells[0].reached),
        "policies": table,
        "coverage": {"learned": coverage(cells, learn=True), "rules": coverage(cells, learn=False)},
        "cost_share": cost_shares(cells),
        "by_labels": by_labels(losses),
        "told_other_seeds": told(cells),
        "trials": trials(every),
        "averaged_over_seeds": {name: round(value, 2) for name, value in averaged(cells).items()},
    }


def cost_shares(cells: Sequence[Known]) -> dict[str, float]:
    """Seconds of the evidence over those of running all arms on a core, in the median of all cells and by labels a class."""
    shares: dict[str, list[float]] = {}
    for cell in cells:
        if len(cell.seconds) == len(cell.reached):
            share = cell.measuring / sum(cell.seconds.values())
            for name in ("every cell", cell.cell.shots):
                shares.setdefault(name, []).append(share)
    return {name: round(float(np.median(values)), 3) for name, values in sorted(shares.items())}


def by_labels(losses: dict[str, dict[Any, float]]) -> dict[str, dict[str, float]]:
    """Mean points lost by some policies, by labels a class.

    Args:
        losses: Points that each policy lost in each cell.
    """
    found: dict[str, dict[str, float]] = {}
    for shots in sorted({cell.shots for cell in losses[BY_LABELS[0]]}):
        rows = [cell for cell in losses[BY_LABELS[0]] if cell.shots == shots]
        means = {name: round(float(np.mean([losses[name][row] for row in rows])), 2) for name in BY_LABELS}
        found[shots] = {"cells": len(rows), **means}
    return found


def _by_task(lost: dict[Any, float]) -> float:
    tasks: dict[str, list[float]] = {}
    for cell, value in lost.items():
        tasks.setdefault(cell.task, []).append(value)
    return float(np.mean([np.mean(values) for values in tasks.values()]))


def averaged(cells: Sequence[Known]) -> dict[str, float]:
    """Mean regret where the oracle is the best arm on the mean over seeds: less flattered by test noise."""
    groups: dict[tuple[str, str, str], list[Known]] = {}
    for cell in cells:
        groups.setdefault((cell.cell.task, cell.cell.backbone, cell.cell.shots), []).append(cell)
    found: dict[str, list[float]] = {}
    for group in groups.values():
        mean = {name: float(np.mean([one.reached[name] for one in group])) for name in group[0].reached}
        for name, policy in policies(cells).items():
            taken = []
            for one in group:
                others = [other for other in cells if other.cell.task != one.cell.task]
                taken.append(mean[policy(one, others)])
            found.setdefault(name, []).append(100 * (max(mean.values()) - float(np.mean(taken))))
    return {name: float(np.mean(values)) for name, values in found.items()}


def told(cells: Sequence[Known]) -> dict[str, float]:
    """Regret of who is told the test results of the other two seeds of the very cell: what draws of labels alone cost.

    No user knows these results, and they are of the same test samples: less is hardly possible.
    """
    lost = []
    for cell in cells:
        same = (cell.cell.task, cell.cell.backbone, cell.cell.shots)
        rest = [one for one in cells if one is not cell and (one.cell.task, one.cell.backbone, one.cell.shots) == same]
        if len(rest) >= 2:
            best = max(cell.reached, key=lambda name: float(np.mean([one.reached[name] for one in rest])))
            lost.append(100 * (max(cell.reached.values()) - cell.reached[best]))
    return {"cells": len(lost), "mean": round(float(np.mean(lost)), 2), "worst": round(max(lost), 2)}


def trials(cells: Sequence[Known]) -> dict[str, Any]:
    """How far expected gains over the probe were from those on the test part, where a trial was run, and without trials."""
    with_them, without = [], []
    for cell in cells:
        others = [one for one in cells if one.cell.task != cell.cell.task]
        for tried, (expected, alone) in expected_with_trials(cell, learned(others)).items():
            reached = cell.reached[tried] - cell.reached[PROBE]
            with_them.append(100 * (expected - reached))
            without.append(100 * (alone - reached))
    named = (("with", with_them), ("without", without))
    return {
        "count": len(with_them),
        **{name: {"mean": round(float(np.mean(off)), 1), "rms": round(_rms(off), 1)} for name, off in named},
    }


def _rms(values: Sequence[float]) -> float:
    return float(np.sqrt(np.mean(np.square(values))))


def figure(found: dict[str, Any]) -> None:
    """One strip of regrets per policy, means marked, the best policy on top."""
    import matplotlib as mpl

    mpl.use("svg")
    import matplotlib.pyplot as plt

    mpl.rcParams["svg.hashsalt"] = "verdict"
    names = sorted(found["policies"], key=lambda name: -found["policies"][name]["mean"])
    drawn, axes = plt.subplots(figsize=(8, 0.42 * len(names) + 1.2))
    rng = np.random.default_rng(0)
    for place, name in enumerate(names):
        values = np.array(found["policies"][name]["each"])
        colour = "#1b6e53" if name.startswith("recommended") else "#7a7a7a"
        axes.scatter(values, place + rng.uniform(-0.16, 0.16, len(values)), s=9, alpha=0.45, color=colour, linewidths=0)
        mean = found["policies"][name]["mean"]
        axes.plot([mean, mean], [place - 0.32, place + 0.32], color=colour, linewidth=2.5)
        axes.annotate(f"{mean:.1f}", (mean, place + 0.34), ha="center", va="bottom", fontsize=7, color=colour)
    axes.set_yticks(range(len(names)), names, fontsize=8)
    axes.set_xlabel(
        "points lost against the best strategy by test (one dot per task, labels and seed; bar = mean)", fontsize=8
    )
    axes.set_xlim(left=-0.5)
    axes.spines[["top", "right"]].set_visible(False)
    drawn.tight_layout()
    drawn.savefig(RESULTS / "verdict.svg", metadata={"Date": None})


def fit(cells: Sequence[Known], found: dict[str, Any]) -> None:
    """Write the prior: learned where that is better on tasks left out, else the fixed rules.

    Args:
        cells: With every arm that ran, also where other cells lack it.
        found: What leave-one-task-out evaluation of the arms that all cells have found.
    """
    data = learned_json(cells, COMMAND)
    names = ("recommended (learned prior)", "recommended (fixed rules as prior)", "four classical rules")
    evaluation = {name: {key: found["policies"][name][key] for key in ("mean", "worst")} for name in names}
    data["used"] = evaluation[names[0]]["mean"] < min(evaluation[names[1]]["mean"], evaluation[names[2]]["mean"])
    data["evaluation"] = {
        **evaluation,
        "cells": found["cells"],
        "tasks": len(found["tasks"]),
        "how": "leave one task out",
    }
    PRIOR.write_text(json.dumps(data, indent=1) + "\n")
    print("learned prior used" if data["used"] else "fixed rules stay", json.dumps(evaluation))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["score", "fit"])
    parser.add_argument("--all-arms", action="store_true", help="only cells in which every strategy ran")
    arguments = parser.parse_args()
    wanted = [arm(*one) for one in (ARMS if arguments.all_arms else MAIN)]
    every = cells = [cell for cell in known(wanted) if cell.situation is not None]
    if not arguments.all_arms:  # the same arms everywhere, so that every oracle is as strong
        cells = [
            replace(
                one,
                reached={name: one.reached[name] for name in wanted},
                seconds={name: one.seconds[name] for name in wanted if name in one.seconds},
            )
            for one in cells
        ]
    if len({cell.cell.task for cell in cells}) < FEWEST_TASKS:
        raise SystemExit(
            f"{len(cells)} cells with evidence: run oracle.py and gather.py until there are {FEWEST_TASKS} tasks"
        )
    found = summary(cells, every)
    if arguments.what == "fit":
        fit(every, found)
        return
    (RESULTS / "verdict.json").write_text(json.dumps(found, indent=1) + "\n")
    figure(found)
    print(f"{found['cells']} cells, {len(found['tasks'])} tasks, shots {found['shots']}, seeds {found['seeds']}")
    for name, row in sorted(found["policies"].items(), key=lambda item: item[1]["mean"]):
        print(
            f"{name:45} mean {row['mean']:5.2f}  worst {row['worst']:5.2f}  over seeds {found['averaged_over_seeds'][name]:5.2f}"
        )
    print("told the test results of the other seeds", found["told_other_seeds"])
    print("gains expected where a trial ran, less those on the test part, in points", found["trials"])
    print("coverage of 80 % intervals", found["coverage"])
    print("evidence costs, as a share of running all arms on a core", found["cost_share"])
    for shots, row in found["by_labels"].items():
        print("labels a class", shots, row)


if __name__ == "__main__":
    main()
