"""X and y as a task, with a part held out."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from regraft.core import Sample, Split, Task, TaskKind
from regraft.tasks.labels import labelling_of
from regraft.tasks.reading import Record
from regraft.tasks.splits import held_out


@dataclass(frozen=True)
class Targets:
    """What is to be learnt of N samples.

    Attributes:
        values: (N,) indices into `classes`, or quantities.
        classes: (C,) the labels, as they were given, sorted; None of quantities.
    """

    values: Sequence[int] | Sequence[float]
    classes: NDArray[Any] | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Of the classes; empty of quantities."""
        return () if self.classes is None else tuple(map(str, self.classes.tolist()))


def task_of(kind: TaskKind, samples: Sequence[Sample], targets: Targets, share: float, seed: int) -> Task:
    """The samples with a stratified part held out for choosing epochs and strength.

    Args:
        kind: The task's.
        samples: N of them.
        targets: Of the samples.
        share: Of each class, or of each tenth of the quantities, that is held out.
        seed: Of the choice.
    """
    names, labelling = targets.names, labelling_of(kind)
    records = [
        Record(sample, names[int(value)] if names else "", target=value)
        for sample, value in zip(samples, targets.values, strict=True)
    ]
    first = {sample.digest: position for position, sample in reversed(list(enumerate(samples)))}
    groups = [first[sample.digest] for sample in samples]  # twins must not stand on both sides
    held = held_out(labelling.strata(records), groups, share, seed) if share else set()
    parts = {"train": [row for row in range(len(samples)) if row not in held], "validation": sorted(held)}
    splits = {
        name: Split(tuple(samples[row] for row in rows), tuple(targets.values[row] for row in rows))
        for name, rows in parts.items()
    }
    said = "".join(f"{one.sample.digest}{one.label if names else one.target}" for one in records)
    fingerprint = hashlib.sha256(said.encode()).hexdigest()
    return Task("samples", kind, names, splits, labelling.metric(names), fingerprint)
