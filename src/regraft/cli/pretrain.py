"""`regraft pretrain DATA --objective O --architecture A --out BACKBONE`."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from regraft.cli.options import Output, Shared, shared_options, table

if TYPE_CHECKING:
    from regraft.pretraining.call import ObjectiveName
    from regraft.pretraining.loop import Report

OBJECTIVES = ("supervised", "simsiam", "mlm", "clm")


@click.command("pretrain")
@click.argument("data", metavar="DATA")
@click.option("--objective", required=True, type=click.Choice(OBJECTIVES), help="What is to be learnt from DATA.")
@click.option("--architecture", default="", help="Network with random weights: a name of timm's or transformers'.")
@click.option("--from", "source", default="", help="Backbone whose pre-training goes on, instead of --architecture.")
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="Folder for the backbone.")
@click.option("--teacher", default="", help="Backbone with its classifier, to learn from besides the labels.")
@click.option("--held-out", default="", help="Texts to watch mlm and clm by; default: a fiftieth of DATA.")
@click.option("--tokenizer", default="", help="`train`, or a backbone whose tokenizer is taken.")
@click.option("--recipe", default="standard", show_default=True, help="Named recipe.")
@click.option("--epochs", type=click.FloatRange(min=0, min_open=True), help="Passes over the data, parts allowed.")
@click.option("--batch-size", type=click.IntRange(min=1), help="Samples per step, over all processes together.")
@click.option("--lr", "learning_rate", type=click.FloatRange(min=0, min_open=True), help="The highest learning rate.")
@click.option("--input-size", type=click.IntRange(min=8), help="Side of the pictures all along, in pixels.")
@click.option("--length", type=click.IntRange(min=8), help="Tokens of a block of text.")
@click.option("--precision", type=click.Choice(["auto", "fp32", "bf16"]), default="auto", show_default=True)
@click.option("--license", "license_of_data", default="unknown", help="Licence of DATA, for passport and model card.")
@click.option("--tensorboard", is_flag=True, help="Write TensorBoard events too, in BACKBONE/events.")
@click.option("--resume", is_flag=True, help="Go on from what an interrupted run left in --out.")
@shared_options
def command(
    shared: Shared,
    data: str,
    objective: "ObjectiveName",
    architecture: str,
    source: str,
    out: Path,
    recipe: str,
    license_of_data: str,
    **options: Any,
) -> None:
    """Pre-train a network on DATA: stage one, whose result any other command takes as --backbone."""
    if bool(architecture) == bool(source):
        raise click.UsageError("give either --architecture NAME for random weights or --from BACKBONE to go on")
    schedule = {name: options.pop(name) for name in ("epochs", "batch_size", "learning_rate", "input_size", "length")}
    from regraft import api  # noqa: PLC0415 - keeps --help fast
    from regraft.pretraining.recipes import departing, preset  # noqa: PLC0415

    output = Output(shared)
    with output.progress() as progress:
        done = api.pretrain(
            data,
            objective,
            out=out,
            recipe=departing(preset(recipe, objective).recipe, **schedule),
            license_of_data=license_of_data,
            seed=shared.seed,
            device=shared.device,
            cache_dir=shared.cache_dir,
            offline=shared.offline,
            progress=progress,
            on_report=lambda report: output.say(_line(report)),
            architecture=architecture,
            source=source,
            **options,
        )
    if not done.main:  # one process of several talks
        return
    last = done.last
    output.result(
        {
            "objective": objective,
            "architecture": architecture or done.architecture,
            "steps": last.steps,
            "samples": last.samples,
            "loss": last.loss,
            "metrics": last.metrics,
            "seconds": done.seconds,
            "backbone": str(out),
        },
        table(
            f"{objective}: held-out figures", ["figure", "value"], [[k, f"{v:.4f}"] for k, v in last.metrics.items()]
        ),
        f"{last.samples:,} samples in {last.steps:,} steps, {done.seconds:.0f} s; backbone: {out}",
    )


def _line(report: "Report") -> str:
    """A report as one line of prose."""
    shown = "".join(f"  held-out {name} {value:.4f}" for name, value in report.metrics.items())
    return (
        f"step {report.step}/{report.steps}  epoch {report.epoch:.2f}  loss {report.loss:.4f}  "
        f"{report.samples_per_second:.0f} samples/s  {report.seconds_left / 60:.1f} min left{shown}"
    )
