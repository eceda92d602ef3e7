"""Smaller tasks cut from a task."""

import random
from dataclasses import replace

from regraft.core import Split, Task


def few_shot(task: Task, shots: int, seed: int) -> Task:
    """The task with at most `shots` training samples per class, and a validation part to match.

    The test part stays whole, so that results at different numbers of shots are comparable.
    """
    splits = dict(task.splits)
    for name in ("train", "validation"):
        splits[name] = _at_most(splits[name], shots, random.Random(f"{seed}/{name}"))  # noqa: S311 - not a secret
    return replace(task, splits=splits, fingerprint=f"{task.fingerprint}/{shots}/{seed}")


def _at_most(split: Split, shots: int, rng: random.Random) -> Split:
    by_class: dict[int, list[int]] = {}
    for index, target in enumerate(split.targets):
        by_class.setdefault(target, []).append(index)
    kept = sorted(index for rows in by_class.values() for index in rng.sample(rows, min(shots, len(rows))))
    return Split(tuple(split.samples[i] for i in kept), tuple(split.targets[i] for i in kept))
