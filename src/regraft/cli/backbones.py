"""`regraft backbones`."""

from dataclasses import asdict

import click

from regraft.cli.options import Output, Shared, shared_options, table


@click.command("backbones")
@click.option("--kind", type=click.Choice(["image", "text"]), help="Only those that read this.")
@click.option("--available", is_flag=True, help="Only those whose weights are on this machine.")
@shared_options
def command(shared: Shared, kind: str | None, available: bool) -> None:  # noqa: FBT001 - click passes by name
    """Which pretrained backbones can be used here, their size, licence and source data."""
    from regraft.backbones import list_backbones  # noqa: PLC0415 - keeps --help fast

    entries = list_backbones(kind=kind, available=available)
    columns = ["backbone", "reads", "parameters", "stages", "licence", "pre-trained on", "on disk"]
    rows = [
        [
            entry.name,
            entry.kind,
            f"{entry.parameters / 1e6:.1f} M",
            str(entry.stages),
            entry.license,
            entry.source,
            "yes" if entry.available else "no",
        ]
        for entry in entries
    ]
    result = {"backbones": [asdict(entry) for entry in entries]}
    shown = table("", columns, rows, right=("parameters", "stages"), whole=("backbone", "parameters"))
    more = "Any other network of timm or the hub will do, and a folder in either's form: see `regraft fit --help`."
    Output(shared).result(result, shown, "", more)
