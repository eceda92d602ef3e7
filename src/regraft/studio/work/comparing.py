"""A comparison, told trial by trial, with the curves as points that a page can draw."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from regraft.studio.work.opened import resources, task_at
from regraft.studio.work.plain import plain

if TYPE_CHECKING:
    from regraft.comparing import LearningCurve, Trial

Report = Callable[[dict[str, Any]], None]

POINTS = 40  # of a drawn curve
PLANNED = 20  # numbers of further labels that the planner offers


def compare(arguments: dict[str, Any], report: Report) -> dict[str, Any]:
    """Strategies side by side; the report is kept in `folder`.

    Args:
        arguments: `path`, `backbone`, `strategies`, `seeds`, `shots`, `settings`, `folder`.
        report: Gets `trial` and `left` events.
    """
    from regraft import api, comparing  # noqa: PLC0415 - a worker warms up first

    task, folder = task_at(arguments["path"]), Path(arguments["folder"]) / "comparison"
    total = len(arguments["strategies"]) * arguments["seeds"] * len(arguments["shots"])
    report({"type": "plan", "steps": total})
    found = comparing.compare(
        task,
        folder,
        strategies=arguments["strategies"],
        backbone=arguments["backbone"],
        seeds=arguments["seeds"],
        shots=arguments["shots"],
        settings=api.Settings(**arguments["settings"]),
        resources=resources(arguments),
        on_trial=lambda one: report({"type": "trial", **_row(one)}),
        on_time_left=lambda seconds: report({"type": "left", "left": seconds}),
    )
    told: dict[str, Any] = plain(
        {
            "task": task.name,
            "metric": task.metric,
            "rows": [_row(one) for one in found.trials],
            "summary": found.summaries,
            "contests": found.contests,
            "verdict": found.verdict,
            "gain": found.gain,
            "receipt": found.receipt,
            "curves": [_curve(one) for one in found.curves],
            "sentences": comparing.curve_sentences(found.curves),
        }
    )
    return told


def _row(trial: "Trial") -> dict[str, Any]:
    names = ("strategy", "boundary", "shots", "seed", "metric", "seconds", "training_seconds", "trainable_parameters")
    row: dict[str, Any] = plain({name: getattr(trial, name) for name in names})
    return row


def _curve(curve: "LearningCurve") -> dict[str, Any]:
    """Measured points with 95 % intervals, the fitted law, and what more labels would bring."""
    low, high = np.nanpercentile(curve.draws, [2.5, 97.5], axis=0)
    fitted = []
    if curve.law is not None and curve.labels[0] > 0:
        sizes = np.geomspace(curve.labels[0], 2 * curve.labels[-1], POINTS)
        fitted = [(float(size), *(curve.at(float(size)) or ())) for size in sizes]
    most = int(curve.labels[-1])
    extras = sorted({round(most * share / PLANNED) for share in range(1, PLANNED + 1)})
    return {
        "strategy": curve.strategy,
        "labels": curve.labels,
        "means": curve.means,
        "low": low,
        "high": high,
        "fitted": fitted,
        "more": [one for extra in extras if extra and (one := curve.further(extra)) is not None],
        "held_back": curve.held_back,
    }
