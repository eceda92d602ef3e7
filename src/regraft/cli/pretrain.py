"""`regraft pretrain DATA --objective O --architecture A --out BACKBONE`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from regraft.cli.options import Output, Shared, shared_options, table

if TYPE_CHECKING:
    from regraft.pretraining.loop import Report

OBJECTIVES = ("supervised",)


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
@click.option("--precision", type=click.Choice(["auto", "fp32", "bf16"]), default="auto", show_default=True)
@click.option("--tensorboard", is_flag=True, help="Write TensorBoard events too, in BACKBONE/events.")
@click.option("--resume", is_flag=True, help="Go on from what an interrupted run left in --out.")
@shared_options
def command(  # noqa: PLR0913, PLR0917 - one argument per option
    shared: Shared,
    data: str,
    objective: str,
    architecture: str,
    source: str,
    out: Path,
    teacher: str,
    held_out: str,
    tokenizer: str,
    recipe: str,
    epochs: float | None,
    batch_size: int | None,
    learning_rate: float | None,
    precision: str,
    tensorboard: bool,  # noqa: FBT001 - click passes by name
    resume: bool,  # noqa: FBT001
) -> None:
    """Pre-train a network on DATA: stage one, whose result any other command takes as --backbone."""
    if bool(architecture) == bool(source):
        raise click.UsageError("give either --architecture NAME for random weights or --from BACKBONE to go on")
    from regraft.pretraining.call import Call  # noqa: PLC0415 - keeps --help fast
    from regraft.pretraining.pretrain import pretrain_call  # noqa: PLC0415
    from regraft.pretraining.recipes import departing, preset  # noqa: PLC0415

    output = Output(shared)
    chosen = departing(preset(recipe, objective).recipe, epochs=epochs, batch_size=batch_size, rate=learning_rate)
    call = Call(data, objective, architecture, source, teacher, held_out, tokenizer, chosen, shared.seed)
    with output.progress() as progress:
        done = pretrain_call(
            call,
            out,
            device=shared.device,
            precision=precision,
            cache_dir=shared.cache_dir,
            offline=shared.offline,
            resume=resume,
            tensorboard=tensorboard,
            progress=progress,
            on_report=lambda report: output.say(_line(report)),
        )
    if not done.main:  # one process of several talks
        return
    last = done.last
    output.result(
        {
            "objective": objective,
            "architecture": architecture or source,
            "steps": last.steps,
            "samples": last.samples,
            "loss": last.loss,
            "metrics": last.metrics,
            "seconds": done.seconds,
            "backbone": str(out),
        },
        table(f"{objective}: held-out figures", ["figure", "value"], [[k, f"{v:.4f}"] for k, v in last.metrics.items()]),
        f"{last.samples:,} samples in {last.steps:,} steps, {done.seconds:.0f} s; backbone: {out}",
    )


def _line(report: "Report") -> str:
    """A report as one line of prose."""
    shown = "".join(f"  held-out {name} {value:.4f}" for name, value in report.metrics.items())
    return (
        f"step {report.step}/{report.steps}  epoch {report.epoch:.2f}  loss {report.loss:.4f}  "
        f"{report.samples_per_second:.0f} samples/s  {report.seconds_left / 60:.1f} min left{shown}"
    )
