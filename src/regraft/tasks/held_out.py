"""Labelled data that a fitted model is measured on: none of it is divided anew."""

from dataclasses import dataclass, replace
from pathlib import Path

from regraft.core import DataError, Learnt, Task
from regraft.tasks.dividing import divided, undivided
from regraft.tasks.gathering import Gathered, gathered
from regraft.tasks.reading import Columns, worst


@dataclass(frozen=True)
class HeldOut:
    """Data to measure a model on.

    Attributes:
        task: With the splits of the fit, those that the data name, or `test` alone.
        fitted: Whether the model was fitted on these very data: the splits are then those of the fit.
        named: Whether the data name their splits.
    """

    task: Task
    fitted: bool
    named: bool


def open_held_out(
    data: str | Path, columns: Columns, learnt: Learnt | int, *, strict: bool = False, offline: bool = False
) -> HeldOut:
    """Read labelled data to measure a fitted model on, with no least number of classes.

    Args:
        data: As `open_task` takes it.
        columns: What of it is read; data of the fit are grouped as it grouped them, and others by the column of the fit where
            none is named.
        learnt: What the model learnt from; of one that does not know, the seed that divides data without a split.
        strict: Refuse data with bad samples instead of leaving them out.
        offline: Open no connection.

    Raises:
        DataError: Nothing usable is there, or `strict` and a sample is bad.
    """
    found = _gathered(data, columns, learnt, offline=offline)
    findings, named = found.reading.findings, any(record.split for record in found.records)
    problems = findings.problems()
    task = divided(found, learnt if isinstance(learnt, int) else learnt.seed)
    fitted = not isinstance(learnt, int) and task.fingerprint == learnt.fingerprint
    if fitted or (isinstance(learnt, int) and not named):
        problems = findings.problems()
    else:
        task = undivided(found)
    if strict and (faults := worst(problems)):
        raise DataError(f"{data}: {faults}")
    return HeldOut(replace(task, problems=problems), fitted=fitted, named=named)


def _gathered(data: str | Path, columns: Columns, learnt: Learnt | int, *, offline: bool) -> Gathered:
    """The data with groups as at the fit: where they are its data, or no group column is named and they have its own."""
    if isinstance(learnt, Learnt) and columns.group != learnt.group_column:
        try:
            found = gathered(data, replace(columns, group=learnt.group_column), offline=offline)
        except DataError:
            pass  # other data, without that column
        else:
            if not columns.group or divided(found, learnt.seed).fingerprint == learnt.fingerprint:
                return found
    return gathered(data, columns, offline=offline)
