"""Which loss on the validation part should choose the epoch, where a network is trained with label smoothing.

    uv run python benchmarks/epochs.py [--task neu_steel] [--seeds 3]

No test part is read: training and validation part together are divided anew (48 % to learn from, 12 % to choose by,
40 % to see how good the choice was). Every epoch is run; rows are appended to results/epochs.jsonl.
"""

import argparse
import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np

from regraft import api
from regraft.core import Split, Task, Train
from regraft.heads import build_head
from regraft.predicting import Fitted, evaluated
from regraft.running import execute

SHARED = Path(os.environ.get("REGRAFT_SHARED") or Path(__file__).resolve().parents[2] / "shared")
WEIGHTS = str(SHARED / "models" / "mobilenetv2_100.imagenet")
RESULTS = Path(__file__).parent / "results" / "epochs.jsonl"
EPOCHS = 20
SHARES = (0.4, 0.52)  # up to the first to look at, up to the second to choose by, the rest to learn from


def divided(task: Task, seed: int) -> tuple[Task, Split]:
    """The task on inner parts, and the inner part that stands for the test."""
    parts_now = (task.train, task.validation)
    rows = [pair for part in parts_now for pair in zip(part.samples, part.targets, strict=True)]
    rng, parts = np.random.default_rng(seed), ([], [], [])
    for target in range(len(task.classes)):
        own = [row for row in rows if row[1] == target]
        order = rng.permutation(len(own))
        ends = [0, *(int(share * len(own)) for share in SHARES), len(own)]
        for part, begin, end in zip(parts, ends, ends[1:], strict=False):
            part.extend(own[place] for place in order[begin:end])
    inner, chosen, learnt = (Split(tuple(one for one, _ in part), tuple(one for _, one in part)) for part in parts)
    return replace(task, splits={"train": learnt, "validation": chosen}, fingerprint=f"inner/{seed}"), inner


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--task", default="neu_steel")
    parser.add_argument("--seeds", type=int, default=3)
    arguments = parser.parse_args()
    RESULTS.parent.mkdir(exist_ok=True)
    for seed in range(arguments.seeds):
        task, inner = divided(api.open_task(SHARED / "data" / "vision" / arguments.task), seed)
        prepared = api.prepare(task, "partial-fine-tuning", WEIGHTS, api.Settings(seed=seed))
        phases = (
            replace(one, patience=0, views=2, epochs=EPOCHS) for one in prepared.plan.phases if isinstance(one, Train)
        )
        plan, trunk = replace(prepared.plan, phases=tuple(phases)), prepared.backbone
        head = build_head("linear", prepared.outline.stages[-1].width, len(task.classes), seed)
        rows = []
        for step in execute(plan, trunk, head, task, store=api.Resources().store(), folder=None):
            fitted = Fitted(task.kind, task.classes, trunk, head, "cpu")
            held, seen = (evaluated(fitted, part, None, None).metrics for part in (task.validation, inner))
            rows.append((step.metrics["loss"], held["log_loss"], seen["accuracy"]))
            print(seed, step.epoch, *(f"{value:.4f}" for value in rows[-1]), flush=True)
        smoothed, plain = (int(np.argmin([row[place] for row in rows])) for place in (0, 1))
        row = {
            "task": arguments.task,
            "seed": seed,
            "by_plain_loss": {"epoch": plain + 1, "inner_accuracy": rows[plain][2]},
            "by_trained_loss": {"epoch": smoothed + 1, "inner_accuracy": rows[smoothed][2]},
            "epochs": rows,
        }
        with RESULTS.open("a") as file:
            file.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    main()
