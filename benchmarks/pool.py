"""How a head should read all stages: one regression of all features side by side, or a pool of one per stage.

    uv run python benchmarks/pool.py [--shots 10,50] [--draws 2] [--minutes 20]
    uv run python benchmarks/pool.py --summary

No test part is read: heads learn from some labels a class and are judged on training samples that are left over. Rows go
to results/pool.jsonl, a run goes on where the last one stopped. The tasks and backbones are those of the verdict.
"""

import argparse
import json
import random
import sys
import time
import warnings
from collections import defaultdict
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.linear_model import LogisticRegressionCV

sys.path.append(str(Path(__file__).parent / "verdict"))
from grid import BACKBONES, PICTURES, RESULTS, TEXTS, WORK, trunk, whole

from regraft import api
from regraft.activations import engine
from regraft.activations.pairs import stage_features
from regraft.core import Solve, TextSample
from regraft.running.cross_validation import best_of, stratified_folds
from regraft.running.pool import pool_weights, pooled, resting_weights
from regraft.running.probe import held_out, solve_logistic

ROWS = RESULTS / "pool.jsonl"
MOST = 1000  # samples of a task
FEWEST_LEFT = 30
FEWEST_OF_A_CLASS = 4
PULLS = (1.0, 3.0, 10.0, 30.0)
USUAL_WIDTH = 256  # so that the strengths tried suit


@cache
def stages_of(backbone: str, task: str) -> tuple[list[np.ndarray], np.ndarray]:
    """Pooled features of every stage, and class numbers, of training and validation samples."""
    found = whole(task)
    parts = [split for name, split in found.splits.items() if name != "test"]
    samples = [sample for part in parts for sample in part.samples]
    targets = np.array([target for part in parts for target in part.targets], dtype=np.int64)
    rows = random.Random(1).sample(range(len(samples)), min(MOST, len(samples)))  # noqa: S311 - not a secret
    counts = np.bincount(targets[rows])
    rows = [row for row in rows if counts[targets[row]] >= FEWEST_OF_A_CLASS]
    samples = [samples[row] for row in rows]
    paired = any(isinstance(one, TextSample) and one.text_pair is not None for one in samples)
    store = api.Resources(cache_dir=WORK / "cache", offline=True).store()
    features, _ = stage_features(trunk(backbone), samples, store, reads="pairs" if paired else "pooled")
    return features, np.unique(targets[rows], return_inverse=True)[1]


def drawn(targets: np.ndarray, shots: int, seed: int) -> np.ndarray:
    """Rows to learn from: so many of each class, half of a class at the most."""
    rng, rows = np.random.default_rng(seed), []
    for label in np.unique(targets):
        mine = rng.permutation(np.flatnonzero(targets == label))
        rows.append(mine[: min(shots, max(len(mine) // 2, 2))])
    return np.sort(np.concatenate(rows))


def judged(stages: list[np.ndarray], targets: np.ndarray, rows: np.ndarray, seed: int) -> dict[str, list[float]]:
    """Accuracy and log loss on the rows that are left, of each way to read the stages."""
    left = np.setdiff1d(np.arange(len(targets)), rows)
    labels, classes, phase = targets[rows], int(targets.max()) + 1, Solve()
    folds = stratified_folds(labels, phase.folds, seed, ())
    held, said = [], []
    for part in stages:
        found = best_of(held_out(part[rows], labels, phase.strengths, folds))
        alone = solve_logistic(part[rows], labels, classes, Solve(strengths=(found.strength,)), seed)
        held.append(found.probabilities)
        said.append(alone.probabilities(part[left]))
    together = np.concatenate([_even(part, rows) for part in stages], axis=1)
    one = LogisticRegressionCV(Cs=phase.strengths, cv=folds, scoring="neg_log_loss", tol=1e-3, max_iter=500)
    one.fit(together[rows], labels)
    ways = {"last stage": said[-1], "side by side": one.predict_proba(together[left])}
    rising = resting_weights(len(stages))
    for name, shape in {"even": np.full(len(stages), 1 / len(stages)), "rising": rising, "squared": rising**2}.items():
        for pull in PULLS:
            ways[f"pool, {name} {pull:g}"] = pooled(said, pool_weights(held, labels, shape, pull))
    return {name: _figures(one, targets[left]) for name, one in ways.items()}


def _even(part: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """A stage's features, standardised and then as large as gives each stage the same total variance."""
    mean, scale = part[rows].mean(axis=0), part[rows].std(axis=0)
    found: np.ndarray = (part - mean) / np.where(scale > 1e-6, scale, 1.0) * np.sqrt(USUAL_WIDTH / part.shape[1])
    return found.astype(np.float32)


def _figures(probabilities: np.ndarray, labels: np.ndarray) -> list[float]:
    right = probabilities[np.arange(len(labels)), labels]
    return [
        round(float((probabilities.argmax(axis=1) == labels).mean()), 4),
        round(float(-np.log(right + 1e-9).mean()), 4),
    ]


def summary() -> None:
    """Means over tasks and backbones, and what each way loses at the most to the better of the first two."""
    rows = [json.loads(line) for line in ROWS.read_text().splitlines()]
    cells: dict[tuple[str, ...], dict[str, list[list[float]]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        for name, figures in row["ways"].items():
            cells[row["shots"], row["backbone"], row["task"]][name].append(figures)
    for shots in sorted({shots for shots, *_ in cells}, key=int):
        mine = [
            {name: np.mean(one, axis=0) for name, one in cell.items()} for key, cell in cells.items() if key[0] == shots
        ]
        print(f"{shots} labels a class, {len(mine)} pairs of task and backbone: accuracy, log loss, lost at the most")
        for name in mine[0]:
            mean = np.mean([cell[name] for cell in mine], axis=0)
            lost = max(max(cell["last stage"][0], cell["side by side"][0]) - cell[name][0] for cell in mine)
            print(f"  {name:18} {100 * mean[0]:5.1f}  {mean[1]:.3f}  {100 * lost:5.1f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shots", default="10,50")
    parser.add_argument("--draws", type=int, default=2)
    parser.add_argument("--backbones", default="resnet-small,minilm,imagenet-96")
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--summary", action="store_true", help="only what the rows say")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    engine.BREAK_EVEN.update(image=1 << 30, text=1 << 30)
    if not arguments.summary:
        measure(arguments)
    summary()


def measure(arguments: argparse.Namespace) -> None:
    """A row for every task, backbone, number of labels and draw that has none."""
    begun = time.monotonic()
    rows: list[dict[str, Any]] = [json.loads(line) for line in ROWS.read_text().splitlines()] if ROWS.exists() else []
    done = {(row["backbone"], row["task"], row["shots"], row["draw"]) for row in rows}
    for backbone in arguments.backbones.split(","):
        for task in TEXTS if BACKBONES[backbone][0] == "text" else PICTURES:
            for shots in arguments.shots.split(","):
                for draw in range(arguments.draws):
                    if (backbone, task, shots, draw) in done or time.monotonic() - begun > 60 * arguments.minutes:
                        continue
                    stages, targets = stages_of(backbone, task)
                    chosen = drawn(targets, int(shots), draw)
                    if len(targets) - len(chosen) < FEWEST_LEFT:
                        continue
                    ways = judged(stages, targets, chosen, draw)
                    row = {
                        "backbone": backbone,
                        "task": task,
                        "shots": shots,
                        "draw": draw,
                        "labels": len(chosen),
                        "ways": ways,
                    }
                    with ROWS.open("a") as file:
                        file.write(json.dumps(row) + "\n")
                    print(backbone, task, shots, draw, {name: one[0] for name, one in ways.items()}, flush=True)


if __name__ == "__main__":
    main()
