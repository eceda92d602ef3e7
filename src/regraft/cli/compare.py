"""`regraft compare DATA --out DIR`."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from regraft.cli.data import DATA_SAID, Given, data_options
from regraft.cli.fitting import fit_options
from regraft.cli.options import Output, Shared, shared_options, table
from regraft.core import OptionError
from regraft.strategies.applying import Arm

if TYPE_CHECKING:
    from rich.console import Group

    from regraft.comparing.forgetting import Forgetting


def _known(context: click.Context, parameter: click.Parameter, value: str) -> list[str]:
    """The names, if there are such strategies: told before anything heavy is imported."""
    return [Arm.named(word.strip()).name for word in value.split(",") if word.strip()]


@click.command("compare", epilog=DATA_SAID)
@data_options
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="Folder for the report.")
@click.option(
    "--strategies",
    default="",
    callback=_known,
    help="Names with commas between, each with a boundary of its own after an @ if it takes one, such as "
    "feature-extraction@all,partial-fine-tuning@60%; default: all.",
)
@click.option("--seeds", type=click.IntRange(min=1), default=3, show_default=True, help="Runs of each.")
@click.option(
    "--shots",
    default="all",
    show_default=True,
    help="Training samples per class (in all where a sample has no class of its own), such as 1,10,all.",
)
@click.option("--source", help="Data of what the backbone was pre-trained on: what each strategy forgets of it.")
@fit_options
@shared_options
def command(  # noqa: PLR0913, PLR0917 - one argument per option
    shared: Shared,
    given: Given,
    out: Path,
    strategies: list[str],
    seeds: int,
    shots: str,
    source: str | None,
    backbone: str,
    precision: str,
    **plan_options: Any,
) -> None:
    """Strategies side by side on DATA, from scratch included; finished trials are kept in --out."""
    if source is None and plan_options["penalty"] == "replay":
        raise click.UsageError("--penalty replay needs data of the source: add --source DATA")
    numbers = [_shots(word.strip()) for word in shots.split(",")]
    from regraft import api, comparing  # noqa: PLC0415 - keeps --help fast

    output = Output(shared)
    task = given.opened(shared)
    found = comparing.compare(
        task,
        out,
        strategies=strategies,
        backbone=backbone,
        seeds=seeds,
        shots=numbers,
        settings=api.Settings(seed=shared.seed, **plan_options),
        resources=api.Resources(shared.device, precision, shared.cache_dir, shared.offline),
        source=None if source is None else api.open_source(source, task.kind, offline=shared.offline),
        on_trial=lambda one: output.say(
            f"{one.strategy}, shots {one.shots}, seed {one.seed}: {task.metric} {one.metric:.3f} in {one.seconds:.1f} s"
        ),
        on_time_left=lambda seconds: output.say(f"about {seconds / 60:.1f} min left") if seconds else None,
    )
    rows = [{key: getattr(trial, key) for key in ROW} for trial in found.trials]
    gain = None if found.gain is None else {**asdict(found.gain), "receipt": list(found.receipt)}
    summary = [asdict(row) for row in found.summaries]
    shown = [
        [row.strategy, row.shots, f"{row.mean:.3f}", f"{row.low:.3f} to {row.high:.3f}", f"{row.seconds:.1f}"]
        for row in found.summaries
    ]
    interval = "95 % interval" + (" (by groups)" if found.resampled == "groups" else "")
    output.result(
        {
            "rows": rows,
            "summary": summary,
            "resampled": found.resampled,
            "contests": [asdict(row) for row in found.contests],
            "verdict": asdict(found.verdict),
            "transfer_gain": gain,
            "forgetting": [asdict(row) for row in found.forgetting],
            "curves": comparing.curve_sentences(found.curves),
            "report": str(found.report),
        },
        table(
            f"{task.name}: {task.metric} over {seeds} seed{'' if seeds == 1 else 's'}",
            ["strategy", "shots", task.metric, interval, "seconds"],
            shown,
            right=(task.metric, "seconds"),
        ),
        *([] if not found.forgetting else [_forgetting_table(found.forgetting)]),
        found.verdict.reason,
        "\n".join(found.receipt),
        *(comparing.curve_sentences(found.curves) if len(numbers) > 2 else ()),
        f"report: {found.report}",
    )


def _forgetting_table(rows: "Sequence[Forgetting]") -> "Group":
    shown = [
        [
            row.strategy,
            f"{row.before:.3f}",
            f"{row.after:.3f}",
            f"{100 * row.lost:.1f} {row.unit}",
            f"{100 * row.low:.1f} to {100 * row.high:.1f}",
        ]
        for row in rows
    ]
    return table("forgetting of the source", ["strategy", "before", "after", "lost", "95 % interval"], shown)


ROW = ("strategy", "boundary", "shots", "seed", "metric", "seconds", "trainable_parameters")


def _shots(word: str) -> int | None:
    """A number of samples per class; None for all."""
    if word == "all":
        return None
    if word.isdecimal() and int(word) > 0:
        return int(word)
    raise OptionError(f"--shots {word}: give numbers above 0 or all, with commas between, such as 1,10,all")
