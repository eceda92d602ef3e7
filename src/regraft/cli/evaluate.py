"""`regraft evaluate MODEL DATA`."""

from dataclasses import asdict

import click

from regraft.cli.data import data_options
from regraft.cli.options import Output, Shared, shared_options, table
from regraft.core import DataError


@click.command("evaluate")
@click.argument("model", metavar="MODEL")
@data_options
@click.option("--split", default="test", show_default=True, help="Which split of DATA to measure on.")
@click.option("--source", help="Held-out data of what the backbone was pre-trained on: what was forgotten of it.")
@shared_options
def command(
    shared: Shared,
    model: str,
    data: str,
    text_column: str,
    label_column: str,
    strict: bool,  # noqa: FBT001 - click passes by name
    split: str,
    source: str | None,
) -> None:
    """Metrics of MODEL on DATA, with 95 % intervals, confusion and calibration."""
    from regraft import api, keeping  # noqa: PLC0415 - keeps --help fast

    output = Output(shared)
    with output.progress() as progress:
        fitted = api.load(model, device=shared.device)
        task = api.open_task(data, text_column=text_column, label_column=label_column, seed=shared.seed, strict=strict)
        if split not in task.splits:
            raise DataError(f"--split {split}: {data} has only {', '.join(task.splits)}")
        part = api.aligned_split(fitted, task, split)
        if not len(part):
            raise DataError(f"--split {split}: {data} has no sample in it; name another split")
        known = None if source is None else api.open_source(source, fitted.kind)
        forgotten = keeping.forgetting_of(fitted, known, part.samples, offline=shared.offline)
        found = fitted.evaluate(part, progress=progress)
    result = {
        "metrics": dict(found.metrics),
        "intervals": dict(found.intervals),
        "confusion": {"classes": list(fitted.classes), "counts": found.confusion} if found.confusion else None,
        "calibration": [asdict(one) for one in found.calibration],
        "forgetting": forgotten,
    }
    rows = [
        [name, f"{value:.4f}", f"{found.intervals[name][0]:.4f} to {found.intervals[name][1]:.4f}"]
        for name, value in found.metrics.items()
    ]
    title = f"{model} on {split} of {data} ({found.samples} samples)"
    views = [table(title, ["metric", "value", "95 % interval"], rows)]
    if found.confusion:
        confusion = [[name, *map(str, row)] for name, row in zip(fitted.classes, found.confusion, strict=True)]
        views.append(table("confusion (rows: truth)", ["", *fitted.classes], confusion, right=fitted.classes))
    told = [] if forgotten is None else [keeping.forgetting_sentence(forgotten)]
    output.result(result, *views, *told)
