"""Backbones to choose from, and every plan that the stages of one allow: what the lab's handle moves over."""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from regraft.core import InputError, Solve, Train
from regraft.studio.work.opened import backbone_named, reads, resources, task_at
from regraft.studio.work.plain import plain

if TYPE_CHECKING:
    from regraft.api import Prepared

Report = Callable[[dict[str, Any]], None]


def backbones(arguments: dict[str, Any], _report: Report) -> list[dict[str, Any]]:
    """Backbones whose weights are on this machine, and those named when the studio began.

    Args:
        arguments: `named`, a list as `--backbone` takes it.
    """
    from regraft.backbones import list_backbones  # noqa: PLC0415 - a worker warms up first

    found = [asdict(one) for one in list_backbones(available=True)]
    known = {one["name"] for one in found}
    return found + [_named(name) for name in arguments["named"] if name not in known]


def _named(name: str) -> dict[str, Any]:
    """A backbone that is not in the catalogue; loading it tells what it is."""
    from regraft import api  # noqa: PLC0415

    one = api.load_backbone(name, offline=True)
    passport = one.passport
    return {
        "name": name,
        "kind": one.kind,
        "parameters": one.outline.parameters,
        "stages": len(one.outline),
        "license": passport.license,
        "source": "random weights" if name.startswith("scratch:") else passport.source_data,
        "available": True,
    }


def survey(arguments: dict[str, Any], _report: Report) -> dict[str, Any]:
    """A backbone's stages, its passport, and the plan of every strategy at every boundary.

    Args:
        arguments: `path` of the data and `backbone`.
    """
    from regraft import api  # noqa: PLC0415

    task = task_at(arguments["path"])
    trunk = backbone_named(arguments["backbone"], reads(task))
    where = resources(arguments)
    plans: dict[str, dict[str, Any]] = {}
    for strategy in (one.name for one in api.STRATEGIES):
        plans[strategy] = {}
        default = api.prepare(task, strategy, trunk, api.Settings(), where)
        plans[strategy][""] = _told(default)
        for frozen in range(len(trunk.outline) + 1):
            boundary = trunk.outline.boundary_name(frozen)
            try:
                found = api.prepare(task, strategy, trunk, api.Settings(boundary=boundary), where)
            except InputError:  # a boundary that this strategy has no use for
                continue
            plans[strategy][boundary] = _told(found)
    passport = {**trunk.passport.to_json(), "source": Path(trunk.passport.source).name}
    stages = [{"name": one.name, "parameters": one.parameters, "width": one.width} for one in trunk.outline]
    told: dict[str, Any] = plain(
        {
            "name": trunk.outline.name,
            "family": trunk.outline.family,
            "stages": stages,
            "passport": passport,
            "plans": plans,
            "metric": task.metric,
        }
    )
    return told


def _told(prepared: "Prepared") -> dict[str, Any]:
    """A plan as the lab draws it: per phase the rate of each stage."""
    plan, outline = prepared.plan, prepared.outline
    phases = []
    for phase in plan.phases:
        if isinstance(phase, Solve):
            taps = [outline.stages[tap].name for tap in phase.taps]
            phases.append({"solved": True, "rates": [0.0] * len(outline), "taps": taps})
        else:
            phases.append({"solved": False, **_trained(phase)})
    frozen = plan.frozen(outline)
    return {
        "strategy": plan.strategy,
        "start": plan.start,
        "head": plan.head,
        "boundary": plan.boundary(outline),
        "frozen": frozen,
        "trained_parameters": sum(stage.parameters for stage in outline.stages[frozen:]),
        "phases": phases,
    }


def _trained(phase: Train) -> dict[str, Any]:
    return {
        "rates": list(phase.rates),
        "head_rate": phase.head_rate,
        "epochs": phase.epochs,
        "batch_size": phase.batch_size,
        "adapter": None if phase.adapter is None else phase.adapter.rank,
    }
