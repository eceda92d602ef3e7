"""`regraft fit DATA --out MODEL`."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from regraft.cli.budget import budget_option
from regraft.cli.data import DATA_SAID, Given, data_options
from regraft.cli.fitting import fit_options, share, strategy_option
from regraft.cli.options import Output, Shared, shared_options, table
from regraft.core import Solve

if TYPE_CHECKING:
    from regraft.api import Prepared
    from regraft.core import Outline, Plan, Step, Task
    from regraft.model import Model
    from regraft.running import Memory

MB = 1 << 20


@click.command("fit", epilog=DATA_SAID)
@data_options
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Folder for the model.")
@strategy_option
@budget_option("With strategy auto: at most about so long to choose, such as 90s or 5m.")
@fit_options
@click.option(
    "--shots",
    type=click.IntRange(min=1),
    help="Learn from at most so many samples of each class, or in all where a sample has no class of its own.",
)
@click.option("--no-augment", is_flag=True, help="Train on the one centred view of each picture.")
@click.option("--no-cache", is_flag=True, help="Keep nothing of what frozen stages compute on disk.")
@click.option("--source", help="Data of what the backbone was pre-trained on: what is forgotten of it is measured.")
@click.option(
    "--keep-source",
    callback=share,
    help="Lose at most this of the source: of accuracy, or by which its perplexity rises, such as 2%.",
)
@click.option("--resume", is_flag=True, help="Go on from what an interrupted run left in --out.")
@click.option("--dry-run", is_flag=True, help="Print the plan and train nothing.")
@shared_options
def command(  # noqa: PLR0913, PLR0917 - one argument per option
    shared: Shared,
    given: Given,
    out: Path | None,
    strategy: str,
    budget: float,
    backbone: str,
    precision: str,
    shots: int | None,
    resume: bool,  # noqa: FBT001 - click passes by name
    dry_run: bool,  # noqa: FBT001
    no_augment: bool,  # noqa: FBT001
    no_cache: bool,  # noqa: FBT001
    source: str | None,
    keep_source: float | None,
    **plan_options: Any,
) -> None:
    """Graft a head on a backbone and train it on DATA."""
    if out is None and not dry_run:
        raise click.UsageError("--out is missing: name the folder for the model, such as --out flowers-model")
    if source is None and (keep_source is not None or plan_options["penalty"] == "replay"):
        needs = "--penalty replay" if keep_source is None else "--keep-source"
        raise click.UsageError(f"{needs} needs data of the source: add --source DATA")
    from regraft import api  # noqa: PLC0415 - keeps --help fast
    from regraft.running import expected_memory  # noqa: PLC0415

    if out is not None and not dry_run:
        api.check_out(out, resume=resume)
    output = Output(shared)
    resources = api.Resources(shared.device, precision, shared.cache_dir, shared.offline)
    settings = api.Settings(
        seed=shared.seed,
        augment=False if no_augment else None,
        cache=False if no_cache else None,
        **plan_options,
    )
    with output.progress() as progress:
        task = given.opened(shared)
        _say_problems(output, task)
        task = task if shots is None else api.few_shot(task, shots, shared.seed)
        chosen = strategy if out is None or dry_run else api.chosen_before(out, strategy, settings)
        prepared = api.prepare(task, chosen, backbone, settings, resources, budget_seconds=budget, progress=progress)
        _say_advice(output, prepared)
        need = expected_memory(prepared.plan, prepared.backbone, task)
        if dry_run:
            _show_plan(output, prepared, need)
            return
        output.say(need.sentence)
        kept = None
        if source is not None:
            kept = api.SourceBudget(api.open_source(source, task.kind, offline=shared.offline), keep_source)
        passport = prepared.backbone.passport
        output.say(f"backbone {passport.name}: {passport.source_data}, licence {passport.license}")
        model = api.fit(
            task,
            prepared,
            resources=resources,
            out=out,
            resume=resume,
            progress=progress,
            on_step=lambda step: _say_step(output, step),
            budget=kept,
        )
    _show_model(output, model, task, str(out), need)


def _say_problems(output: Output, task: "Task") -> None:
    """One line on what was found wrong with the data; `inspect` tells all."""
    counts = {severity: sum(one.severity == severity for one in task.problems) for severity in ("error", "warning")}
    if any(counts.values()):
        said = [
            *([f"{_counted(counts['error'], 'kind')} of bad samples left out"] if counts["error"] else []),
            *([_counted(counts["warning"], "warning")] if counts["warning"] else []),
        ]
        output.say(f"data: {', '.join(said)}; `regraft inspect` tells all")


def _counted(count: int, word: str) -> str:
    """`1 warning`, `2 warnings`."""
    return f"{count} {word}{'' if count == 1 else 's'}"


def _say_advice(output: Output, prepared: "Prepared") -> None:
    """With strategy auto: what was chosen, and why."""
    if prepared.advice is None:
        return
    best = prepared.advice.best
    output.say(f"strategy auto: {best.strategy}, boundary {best.boundary}, chosen in {prepared.advice.seconds:.0f} s")
    for reason in prepared.advice.reasons:
        output.say(f"  {reason}")


def _say_step(output: Output, step: "Step") -> None:
    # A held-out loss beside the trained one must say so.
    shown = "  ".join(f"{'held-out ' * (name == 'loss')}{name} {value:.4f}" for name, value in step.metrics.items())
    note = f"  ({step.note})" if step.note else ""
    when = "solved" if "strength" in step.metrics else f"epoch {step.epoch + 1}"
    output.say(f"phase {step.phase + 1} {when}: loss {step.loss:.4f}  {shown}  {step.seconds:.1f} s{note}")


def _show_plan(output: Output, prepared: "Prepared", need: "Memory") -> None:
    rows = prepared.plan.table(prepared.outline)
    columns = list(rows[0])
    penalties = {one["penalty"]["kind"] for one in prepared.plan.to_json()["phases"] if one.get("penalty")}
    held = f", held by {', '.join(sorted(penalties))}" if penalties else ""
    title = f"{prepared.plan.strategy} of {prepared.outline.name}{held}"
    shown = table(title, columns, [list(row.values()) for row in rows], right=("rate", "parameters"))
    memory = {"expected_mb": round(need.total / MB)}
    output.result(
        {"plan": prepared.plan.to_json(), "table": rows, "memory": memory},
        shown,
        *prepared.plan.schedule(),
        need.sentence,
    )


def _show_model(output: Output, model: "Model", task: "Task", out: str, need: "Memory") -> None:
    from regraft.forgetting import budget_sentence, curve_rows  # noqa: PLC0415 - keeps --help fast
    from regraft.running import peak_memory  # noqa: PLC0415

    plan, outline = model.run.plan, model.backbone.outline
    head_parameters = sum(tensor.numel() for tensor in model.head.parameters())
    trainable, peak = model.trainable_parameters, peak_memory()
    result = {
        "strategy": plan.strategy,
        "boundary": plan.boundary(outline),
        "backbone": model.backbone.passport.source,
        "metrics": {
            split: {name: value for name, value in values.items() if name != "intervals"}
            for split, values in model.results.items()
        },
        "intervals": {split: values["intervals"] for split, values in model.results.items()},
        "trainable_parameters": trainable,
        "total_parameters": outline.parameters + head_parameters,
        "samples": {name: len(split) for name, split in task.splits.items()},
        "seconds": dict(model.run.seconds),
        "memory": {"expected_mb": round(need.total / MB), "peak_mb": None if peak is None else round(peak / MB)},
        "forgetting": model.forgetting,
        "model": out,
    }
    splits = list(model.results)
    names = [name for name in next(reversed(model.results.values()), {}) if name != "intervals"]
    rows = [[name, *(_with_interval(model.results[split], name) for split in splits)] for name in names]
    seconds, told = model.run.seconds, model.forgetting
    solved = any("strength" in step.metrics for step in model.run.steps)
    too = f" (at the end {len(task.validation)} for validation too)" if solved and len(task.validation) else ""
    output.result(
        result,
        table(f"{plan.strategy} of {outline.name}, {_place(plan, outline)}", ["metric", *splits], rows),
        f"trained {trainable:,} of {result['total_parameters']:,} parameters on {len(task.train)} samples{too} "
        f"in {seconds['total']:.1f} s (features {seconds['features']:.1f} s, training {seconds['training']:.1f} s)",
        *([] if peak is None else [f"memory: {peak / MB:,.0f} MB at the most, {need.total / MB:,.0f} expected"]),
        *([] if told is None else [table(CURVE_TITLE, list(CURVE), curve_rows(told))]),
        *([] if told is None else [budget_sentence(told)]),
        f"model: {out}",
    )


def _place(plan: "Plan", outline: "Outline") -> str:
    """What is frozen, or which stages a solved head reads."""
    reads = any(isinstance(phase, Solve) and phase.taps for phase in plan.phases)
    return f"{'features of' if reads else 'frozen up to'} {plan.boundary(outline)}"


CURVE_TITLE = "between pretrained (alpha 0) and tuned weights (alpha 1)"
CURVE = ("alpha", "target, validation", "source", "lost")


def _with_interval(values: dict[str, Any], name: str) -> str:
    """A metric as `0.912 [0.870, 0.950]`: with its 95 % bootstrap interval over samples."""
    if name not in values:
        return "-"
    if name not in values["intervals"]:
        return f"{values[name]:.3f}"
    low, high = values["intervals"][name]
    return f"{values[name]:.3f} [{low:.3f}, {high:.3f}]"
