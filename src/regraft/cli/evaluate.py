"""`regraft evaluate MODEL DATA`."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from regraft.cli.data import DATA_SAID, Given, data_options
from regraft.cli.options import Output, Shared, shared_options, table
from regraft.core import OptionError

if TYPE_CHECKING:
    from rich.console import Group

LINE = 80  # columns of a terminal that a matrix may take
MISTAKES_SHOWN = 10


@click.command("evaluate", epilog=DATA_SAID)
@click.argument("model", metavar="MODEL")
@data_options
@click.option(
    "--split",
    help="Which split of DATA to measure on.  [default: test; all of DATA that names no split and was not fitted on]",
)
@click.option("--source", help="Held-out data of what the backbone was pre-trained on: what was forgotten of it.")
@shared_options
def command(
    shared: Shared,
    model: str,
    given: Given,
    split: str | None,
    source: str | None,
) -> None:
    """Metrics of MODEL on DATA, with 95 % intervals, confusion and calibration."""
    from regraft import api, keeping  # noqa: PLC0415 - keeps --help fast
    from regraft.forgetting import forgetting_sentence  # noqa: PLC0415

    output = Output(shared)
    with output.progress() as progress:
        fitted = api.load(model, device=shared.device)
        if given.kind not in {None, fitted.kind}:
            raise OptionError(f"--kind {given.kind}: the model was made for {fitted.kind}; leave --kind away")
        part = api.part_to_measure(
            fitted, given.data, given.columns, split=split, strict=given.strict, offline=shared.offline
        )
        known = None if source is None else api.open_source(source, fitted.kind, offline=shared.offline)
        forgotten = keeping.forgetting_of(fitted, known, part.split.samples, offline=shared.offline)
        found = fitted.evaluate(part.split, progress=progress)
    for note in part.notes:
        output.say(note)
    result = {
        "metrics": dict(found.metrics),
        "intervals": dict(found.intervals),
        "split": part.name,
        "samples": found.samples,
        "notes": list(part.notes),
        "resampled": "groups" if found.groups else "samples",
        "confusion": {"classes": list(fitted.classes), "counts": found.confusion} if found.confusion else None,
        "calibration": [asdict(one) for one in found.calibration],
        "forgetting": forgotten,
    }
    rows = [
        [name, f"{value:.4f}", f"{found.intervals[name][0]:.4f} to {found.intervals[name][1]:.4f}"]
        for name, value in found.metrics.items()
    ]
    title = f"{model} on {part.name} of {given.data} ({found.samples_said})"
    views = [table(title, ["metric", "value", "95 % interval"], rows)]
    if found.confusion:
        views.append(_confusion(fitted.classes, found.confusion))
    told = [] if forgotten is None else [forgetting_sentence(forgotten)]
    output.result(result, *views, *told)


def _confusion(classes: Sequence[str], counts: Sequence[Sequence[int]]) -> "Group":
    """The matrix where it fits a line; of more classes, what is mistaken for what most often."""
    if sum(len(name) + 2 for name in classes) + max(map(len, classes)) <= LINE:
        rows = [[name, *map(str, row)] for name, row in zip(classes, counts, strict=True)]
        return table("confusion (rows: truth)", ["", *classes], rows, right=tuple(classes))
    mistakes = [
        (count, truth, said)
        for truth, row in zip(classes, counts, strict=True)
        for said, count in zip(classes, row, strict=True)
        if count and said != truth
    ]
    most = sorted(mistakes, key=lambda one: -one[0])[:MISTAKES_SHOWN]
    title = "most frequent mistakes (--json has the whole confusion matrix)"
    return table(title, ["truth", "taken for", "times"], [[a, b, str(n)] for n, a, b in most], right=("times",))
