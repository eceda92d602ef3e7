"""Smaller tasks cut from a task."""

import random
from dataclasses import replace

from regraft.core import Split, Task


def few_shot(task: Task, shots: int, seed: int) -> Task:
    """The task with at most `shots` training samples per class, and a validation part to match.

    Where samples have no class of their own (quantities, tagged words, questions), `shots` counts all of them.
    The test part stays whole, so that results at different numbers of shots are comparable.
    """
    splits = dict(task.splits)
    single = task.kind in {"image-classification", "text-classification"}
    for name in ("train", "validation"):
        rng = random.Random(f"{seed}/{name}")  # noqa: S311 - not a secret
        splits[name] = _at_most(splits[name], shots, rng, by_class=single)
    return replace(task, splits=splits, fingerprint=f"{task.fingerprint}/{shots}/{seed}")


def _at_most(split: Split, shots: int, rng: random.Random, *, by_class: bool) -> Split:
    members: dict[int, list[int]] = {}
    for index, target in enumerate(split.targets):
        members.setdefault(target if by_class else 0, []).append(index)
    kept = sorted(index for rows in members.values() for index in rng.sample(rows, min(shots, len(rows))))
    return Split(tuple(split.samples[i] for i in kept), tuple(split.targets[i] for i in kept))
