"""The pieces of a task that trials learn from: so many samples per class, drawn with so many seeds."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from regraft.core import DataError, Split, Task
from regraft.evaluating.bootstrap import in_groups
from regraft.tasks import few_shot

ALL = "all"


@dataclass(frozen=True)
class Part:
    """What one trial learns from and is measured on.

    Attributes:
        task: Its samples; the test part is always whole.
        shots: Training samples per class, or `all`.
        seed: Of the draw, and of the trial.
        content: sha256 over every sample and target, and over what belongs together, hexadecimal.
    """

    task: Task
    shots: str
    seed: int
    content: str

    @property
    def labels(self) -> int:
        """Labelled samples used, those of the validation part included: somebody has labelled them too."""
        return len(self.task.train) + len(self.task.validation)


def with_test(task: Task) -> tuple[Task, tuple[str, ...]]:
    """The task with a test part, and what is to be said of it.

    What a strategy is chosen by must not say how good it is: where there is no test part, every second sample of
    each class of the validation part becomes one; samples of one group stay together.

    Raises:
        DataError: There is nothing to measure on.
    """
    if task.test:
        return task, ()
    held = task.validation
    by_class = task.kind in {"image-classification", "text-classification"}
    together = task.together(held.samples)
    members: dict[int, list[int]] = {}
    for group in dict.fromkeys(together):  # named by its first member
        members.setdefault(held.targets[group] if by_class else 0, []).append(group)
    moved = {group for groups in members.values() for group in groups[1::2]}
    chosen = {index for index, group in enumerate(together) if group in moved}
    if not chosen:
        raise DataError(f"{task.name}: no test part, and too few validation samples to make one; add a test split")
    splits = {**task.splits, "test": _taken(held, sorted(chosen))}
    splits["validation"] = _taken(held, [index for index in range(len(held)) if index not in chosen])
    said = f"The data have no test part: {len(chosen)} of the {len(held)} validation samples were set aside as one."
    return replace(task, splits=splits, fingerprint=f"{task.fingerprint}/with-test"), (said,)


def parts_of(
    task: Task, shots: Sequence[int | None], seeds: Iterable[int]
) -> tuple[list[tuple[Part, ...]], tuple[str, ...]]:
    """For each number of shots the parts of all seeds, and what is to be said of them.

    Numbers that give the same samples with every seed are one measurement, and are counted once.

    Args:
        task: With a test part.
        shots: Training samples per class; None = all.
        seeds: Of the draws.
    """
    seeds = tuple(seeds)
    found: dict[tuple[str, ...], tuple[Part, ...]] = {}
    notes = []
    for number in shots:
        parts = tuple(_part(task, number, seed) for seed in seeds)
        content = tuple(part.content for part in parts)
        same = found.get(content)
        if same is not None:
            notes.append(f"{parts[0].shots} and {same[0].shots} shots are the same samples here: counted once.")
            parts = parts if number is None else same  # `all` says more than a number
        found[content] = parts
    return list(found.values()), tuple(notes)


def _part(task: Task, number: int | None, seed: int) -> Part:
    cut = task if number is None else few_shot(task, number, seed)
    return Part(cut, ALL if number is None else str(number), seed, _content(cut))


def _content(task: Task) -> str:
    digest = hashlib.sha256(repr((task.kind, task.classes)).encode())
    for name in ("train", "validation", "test"):
        split = task.splits[name]
        for sample, target in zip(split.samples, split.targets, strict=True):
            digest.update(f"{name}\0{sample.digest}\0{target!r}\n".encode())
        if in_groups(split.together):  # they decide folds, and what the intervals draw
            digest.update(f"{name}\0together\0{split.together!r}\n".encode())
    return digest.hexdigest()


def _taken(split: Split, rows: Sequence[int]) -> Split:
    return Split(tuple(split.samples[i] for i in rows), tuple(split.targets[i] for i in rows))
