"""`regraft probe DATA`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from regraft.cli.data import DATA_SAID, Given, data_options
from regraft.cli.fitting import backbone_option, precision_option
from regraft.cli.options import Output, Shared, shared_options, table

if TYPE_CHECKING:
    from rich.console import Group

    from regraft.hierarchy import Probe


@click.command("probe", epilog=DATA_SAID)
@data_options
@backbone_option
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Folder for the report.")
@click.option(
    "--pictures",
    type=click.IntRange(min=0),
    default=120,
    show_default=True,
    help="Training pictures whose patches are shown; 0 = none.",
)
@precision_option
@shared_options
def command(
    shared: Shared,
    given: Given,
    backbone: str,
    out: Path | None,
    pictures: int,
    precision: str,
) -> None:
    """The feature hierarchy of a backbone on DATA: per stage, how well it serves the task and what it looks for."""
    from regraft import api  # noqa: PLC0415 - keeps --help fast
    from regraft.hierarchy import probe  # noqa: PLC0415

    output = Output(shared)
    task = given.opened(shared)
    with output.progress() as progress:
        found = probe(
            task,
            backbone,
            out=out,
            resources=api.Resources(shared.device, precision, shared.cache_dir, shared.offline),
            pictures=pictures,
            seed=shared.seed,
            progress=progress,
        )
    output.result(found.to_json(), _table(found), "", "\n".join(found.sentences), f"report: {found.report}")


def _table(found: "Probe") -> "Group":
    from regraft.core.words import metric_said  # noqa: PLC0415

    rows = [
        [
            one.name,
            f"{one.probe_accuracy:.3f}",
            f"{one.low:.3f} to {one.high:.3f}",
            f"{one.transferability:.3f}",
            f"{one.similarity_to_last:.2f}",
        ]
        for one in found.stages
    ]
    said = f"probe {metric_said(found.metric)}"
    columns = ["stage", said, "80 % interval", "LogME", "CKA with last"]
    return table(
        f"{found.task}: {found.samples} training samples", columns, rows, right=(said, "LogME", "CKA with last")
    )
