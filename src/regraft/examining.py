"""Which samples of DATA a fitted model is measured on: none that it learnt from, unless that is asked for."""

from dataclasses import dataclass, replace
from pathlib import Path

from regraft.core import DataError, Split, Task
from regraft.model import Model
from regraft.tasks import Columns, HeldOut, open_held_out

TEST = "test"


@dataclass(frozen=True)
class Part:
    """Samples to measure a model on.

    Attributes:
        split: They, with targets in the order of the model's classes.
        name: What to call them: `test`, or `all`.
        notes: Sentences on how they were chosen.
    """

    split: Split
    name: str
    notes: tuple[str, ...]


def part_to_measure(
    model: Model,
    data: str | Path,
    columns: Columns | None = None,
    *,
    split: str | None = None,
    strict: bool = False,
    offline: bool = False,
) -> Part:
    """The part of DATA that tells how good a model is.

    Of the data that the model was fitted on it is the test part of that fit, whichever seed divided them. Of other
    data it is the `test` split where they name splits, and else all of them; samples that the model learnt from are
    left out.

    Args:
        model: As `fit` or `load` returned it.
        data: As `open_task` takes it.
        columns: What of a table is read; its kind is the model's.
        split: Measure on this split instead.
        strict: Refuse data with bad samples instead of leaving them out.
        offline: Open no connection.

    Raises:
        DataError: Nothing is left to measure on, or the data do not go with the model.
    """
    seed = model.run.plan.seed  # of the split too, of a model that does not know more
    columns = replace(columns or Columns(), kind=model.kind)
    found = open_held_out(data, columns, model.learnt or seed, strict=strict, offline=offline)
    name = split or TEST
    if name not in found.task.splits:
        raise DataError(_missing(name, data, found))
    part = aligned_split(model, found.task, name)
    if not len(part):
        raise DataError(f"--split {name}: {data} has no sample in it; name another split")
    if found.fitted or model.learnt is None:
        notes = [UNKNOWN] if model.learnt is None else [LEARNT] if name != TEST else []
        return Part(part, name, tuple(notes))
    unseen, notes = _without_learnt(model, part, data)
    if not found.named:
        name = "all"
        notes.insert(
            0, f"{data} names no split and is not divided as at the fit: measured on all that the model did not learn"
        )
    return Part(unseen, name, tuple(notes))


UNKNOWN = "the model was saved before models knew what they learnt from: make sure that it is not measured on that"
LEARNT = "the model learnt from this split, or was chosen by it: it says nothing of new data"


def aligned_split(model: Model, task: Task, name: str) -> Split:
    """A split with its targets in the order of the model's classes.

    Raises:
        DataError: It has a class that the model does not know.
    """
    if task.kind != model.kind:
        raise DataError(f"{task.name}: it is {task.kind}, and the model was made for {model.kind}")
    if task.kind not in {"image-classification", "text-classification", "token-classification"}:
        return task.splits[name]
    unknown = sorted(set(task.classes) - set(model.classes))
    if unknown:
        raise DataError(
            f"{task.name}: the model does not know the class {unknown[0]!r}; it knows {', '.join(model.classes)}"
        )
    split = task.splits[name]
    order = [model.classes.index(label) for label in task.classes]
    if task.kind == "token-classification":
        return replace(split, targets=tuple(tuple(order[tag] for tag in tags) for tags in split.targets))
    return replace(split, targets=tuple(order[target] for target in split.targets))


def _missing(name: str, data: str | Path, found: HeldOut) -> str:
    """Why a split cannot be measured on."""
    if found.fitted or found.named:
        return f"--split {name}: {data} has only {', '.join(found.task.splits)}"
    return f"--split {name}: {data} has no splits and is not what the model was fitted on; leave it away to measure all"


def _without_learnt(model: Model, part: Split, data: str | Path) -> tuple[Split, list[str]]:
    """The samples that the model did not learn from, and what to say of the others.

    Raises:
        DataError: None is left.
    """
    pairs = zip(part.samples, part.targets, strict=True)
    kept = [(one, target) for one, target in pairs if model.learnt is None or one not in model.learnt]
    left = len(part) - len(kept)
    if not kept:
        raise DataError(f"{data}: the model learnt from every sample of it ({left}); give data that it has not seen")
    unseen = replace(part, samples=tuple(one for one, _ in kept), targets=tuple(target for _, target in kept))
    return unseen, [f"{left} samples left out, since the model learnt from them"] if left else []
