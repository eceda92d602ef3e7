"""A fit, told epoch by epoch."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from regraft.core import DataError, Step, Train
from regraft.studio.work.opened import reads, resources, task_at
from regraft.studio.work.plain import plain
from regraft.studio.work.run_report import write_run_report

if TYPE_CHECKING:
    from regraft.api import Prepared
    from regraft.core import Task
    from regraft.evaluating import Evaluation
    from regraft.model import Model

Report = Callable[[dict[str, Any]], None]


def fit(arguments: dict[str, Any], report: Report) -> dict[str, Any]:
    """Train, measure, say what was forgotten, and keep model and report in `folder`.

    Args:
        arguments: `path`, `backbone`, `strategy`, `settings`, `folder`, and `source`, a path or None.
        report: Gets `plan`, `progress` and `step` events.
    """
    from regraft import api, keeping  # noqa: PLC0415 - a worker warms up first

    task, folder, where = task_at(arguments["path"]), Path(arguments["folder"]), resources(arguments)
    prepared = api.prepare(
        task, arguments["strategy"], arguments["backbone"], api.Settings(**arguments["settings"]), where
    )
    known = None if arguments.get("source") is None else api.open_source(arguments["source"], task.kind)
    if known is not None and prepared.plan.start == "pretrained":  # refused before hours of training, not after
        api.SourceBudget(known).check(task, prepared.plan)
    if not (part := task.test or task.validation):
        raise DataError(
            f"{task.name}: too few samples to hold any out, so that nothing could be measured; give three a class"
        )
    clock = _Clock(prepared, report)
    model = api.fit(task, prepared, resources=where, out=folder / "model", progress=clock.progress, on_step=clock.step)
    report({"type": "progress", "what": "measuring the result", "done": 0, "total": 1})
    found = model.evaluate(part)
    forgotten = keeping.forgetting_of(model, known, part.samples, offline=True)
    told = _told(task, model, found, forgotten)
    write_run_report(folder / "report.html", task, model, found, told)
    return told


def _told(task: "Task", model: "Model", found: "Evaluation", forgotten: dict[str, Any] | None) -> dict[str, Any]:
    from regraft.forgetting import forgetting_sentence  # noqa: PLC0415

    plan, outline = model.run.plan, model.backbone.outline
    told: dict[str, Any] = plain(
        {
            "task": task.name,
            "kind": task.kind,
            "classes": model.classes,
            "metric": task.metric,
            "strategy": plan.strategy,
            "boundary": plan.boundary(outline),
            "backbone": outline.name,
            "head": plan.head,
            "split": "test" if task.test else "validation",
            "samples": found.samples,
            "metrics": found.metrics,
            "intervals": found.intervals,
            "confusion": found.confusion or None,
            "calibration": found.calibration,
            "validation": model.results.get("validation", {}),
            "seconds": model.run.seconds,
            "trainable_parameters": model.trainable_parameters,
            "total_parameters": outline.parameters,
            "forgetting": forgotten,
            "forgetting_said": None if forgotten is None else forgetting_sentence(forgotten),
            "reads": reads(task),
            "pairs": bool(model.pairs),
        }
    )
    return told


class _Clock:
    """Tells steps and progress, and how long the plan takes at most; early stopping may end it sooner."""

    def __init__(self, prepared: "Prepared", report: Report) -> None:
        self._report = report
        self._planned = sum(phase.epochs if isinstance(phase, Train) else 1 for phase in prepared.plan.phases)
        self._steps = 0
        self._begun = 0.0
        report({"type": "plan", "steps": self._planned, "phases": len(prepared.plan.phases)})

    def progress(self, what: str, done: int, total: int) -> None:
        """Part of a step; the wait for the frozen trunk's features is not one."""
        event: dict[str, Any] = {"type": "progress", "what": what, "done": done, "total": total}
        if what.startswith("epoch"):
            self._begun = self._begun or time.monotonic()
            event["left"] = self._left(self._steps + done / max(total, 1))
        self._report(event)

    def step(self, step: Step) -> None:
        """A finished epoch or solved head."""
        self._steps += 1
        told = {"type": "step", "number": self._steps, **plain(step), "left": self._left(self._steps)}
        self._report(told)

    def _left(self, done: float) -> float | None:
        if not self._begun or done <= 0:
            return None
        return (time.monotonic() - self._begun) / done * max(self._planned - done, 0)
