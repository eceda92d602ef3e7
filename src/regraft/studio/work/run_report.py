"""The report of one fit: one HTML file that needs nothing else."""

from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from regraft.reporting import page, table, write_page

if TYPE_CHECKING:
    from regraft.core import Task
    from regraft.evaluating import Evaluation
    from regraft.model import Model

MOST_CLASSES = 30  # up to which a confusion is a table that can be read


def write_run_report(file: Path, task: "Task", model: "Model", found: "Evaluation", told: dict[str, Any]) -> None:
    """Write what was trained, how, what came out and what was forgotten; whole or not at all."""
    plan, outline = model.run.plan, model.backbone.outline
    passport = model.backbone.passport
    title = f"{task.name}: {plan.strategy} of {outline.name}"
    metrics = [(name, f"{value:.4f}", _between(found.intervals.get(name))) for name, value in found.metrics.items()]
    rows = plan.table(outline)
    steps = [
        (
            str(number),
            f"{step.loss:.4f}",
            *(f"{step.metrics.get(name, float('nan')):.4f}" for name in ("loss", "accuracy")),
            f"{step.seconds:.2f}",
            step.note,
        )
        for number, step in enumerate(model.run.steps, start=1)
    ]
    parts = [
        f"<h1>{escape(title)}</h1>",
        f'<p class="soft">{escape(_introduction(task, told))}</p>',
        f"<p>Backbone: {escape(passport.name)}, licence {escape(passport.license)}, pre-trained on "
        f"{escape(passport.source_data)}.</p>",
        f"<h2>Result on the {escape(told['split'])} part</h2>",
        table(("metric", "value", "95 % interval"), metrics),
        *_forgotten(told),
        "<h2>What trained</h2>",
        f"<p>{told['trainable_parameters']:,} parameters could change.</p>",
        table(tuple(rows[0]), [tuple(row.values()) for row in rows]),
        "<h2>Epoch by epoch</h2>",
        table(("step", "training loss", "validation loss", "validation accuracy", "seconds", "note"), steps),
    ]
    if found.confusion and len(task.classes) <= MOST_CLASSES:
        counts = [(name, *map(str, row)) for name, row in zip(model.classes, found.confusion, strict=True)]
        parts += ["<h2>Confusion (rows: truth)</h2>", table(("", *model.classes), counts)]
    environment = ", ".join(f"{name} {value}" for name, value in model.run.environment.items())
    parts.append(f'<p class="soft">Made with {escape(environment)}; seed {plan.seed}.</p>')
    write_page(file, page(title, parts))


def _introduction(task: "Task", told: dict[str, Any]) -> str:
    classes = f", {len(task.classes)} classes" if task.classes else ""
    return (
        f"{task.kind}{classes}, {len(task.train)} training samples, {told['samples']} measured; "
        f"{told['seconds']['total']:.1f} s in all. Intervals are 95 % bootstrap over the samples measured."
    )


def _forgotten(told: dict[str, Any]) -> list[str]:
    said = told["forgetting_said"]
    return [] if said is None else ["<h2>What was forgotten</h2>", f"<p>{escape(said)}</p>"]


def _between(interval: tuple[float, float] | None) -> str:
    return "" if interval is None else f"{interval[0]:.4f} to {interval[1]:.4f}"
