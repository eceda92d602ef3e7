"""A scenario measured here and now, where its data are at hand."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from regraft import api
from regraft.core import Recommendation, Task
from regraft.demo import intents_folder
from regraft.measuring.advise import advise
from regraft.scenarios.scenario import Ground, Scenario
from regraft.scenarios.stored import Stored
from regraft.tasks import few_shot

EMBEDDED = "embedded:"
SHARED_VARIABLE = "REGRAFT_SHARED"
BUDGET_SECONDS = 60.0
COMMAND = "uv run python benchmarks/verdict/scenarios.py"

Report = Callable[[str, int, int], None]


def at_hand(ground: Ground) -> bool:
    """Whether its data and weights are on this machine."""
    return all(place is not None for place in (_data(ground), *(_backbone(name) for name in ground.backbones)))


def measured(
    scenario: Scenario,
    *,
    resources: api.Resources | None = None,
    budget_seconds: float = BUDGET_SECONDS,
    seed: int = 0,
    progress: Report | None = None,
) -> tuple[Recommendation, Task]:
    """The engine's recommendation from the scenario's own data, and the task.

    Args:
        scenario: One whose data are `at_hand`.
        resources: Device, precision, cache.
        budget_seconds: Wall time, about.
        seed: Draws the samples, where the scenario speaks of fewer than there are, and the folds.
        progress: Called with (what, done, total).
    """
    resources = replace(resources or api.Resources(), offline=True)
    task = task_of(scenario.ground, seed)
    names = [name for one in scenario.ground.backbones if (name := _backbone(one)) is not None]
    always = ("from-scratch",) if scenario.criterion == "claim" else ()
    kind = "image" if task.kind.startswith("image") else "text"
    trunks = [api.load_backbone(name, kind=kind, offline=True) for name in names]  # type: ignore[arg-type]
    advice = advise(
        task,
        trunks,
        settings=api.Settings(seed=seed),
        resources=resources,
        budget_seconds=budget_seconds,
        always=always,
        progress=progress,
    )
    return advice, task


def task_of(ground: Ground, seed: int = 0) -> Task:
    """The scenario's task, with as many labels as it speaks of."""
    place = _data(ground)
    if place is None:
        raise FileNotFoundError(ground.data)
    task = api.open_task(place, seed=seed)
    return task if ground.shots is None else few_shot(task, ground.shots, seed)


def to_store(advice: Recommendation, task: Task) -> Stored:
    """A recommendation's measurements, to come with the package; local folders lose their path."""
    places = {one.backbone: Path(one.backbone).name for one in advice.evidence}
    evidence = tuple(replace(one, backbone=places[one.backbone]) for one in advice.evidence)
    stored = Stored(
        COMMAND, task.summary(), task.metric, len(task.train) + len(task.validation), evidence, {}, advice.seconds
    )
    by_place = {(places[one.backbone], one.strategy, one.boundary): one.cost_seconds for one in advice.choices}
    costs: dict[str, dict[str, float]] = {name: {} for name in places.values()}
    for offer in stored.offers():
        costs[offer.backbone][offer.arm] = round(by_place[offer.backbone, offer.strategy, offer.boundary], 2)
    return replace(stored, costs=costs)


def _shared() -> Path | None:
    named = os.environ.get(SHARED_VARIABLE)
    return Path(named) if named else None


def _data(ground: Ground) -> Path | None:
    if ground.data.startswith(EMBEDDED):
        return intents_folder()
    shared = _shared()
    place = None if shared is None else shared / ground.data
    return place if place is not None and place.exists() else None


def _backbone(name: str) -> str | None:
    if name.startswith("bundled:"):
        return name
    shared = _shared()
    place = None if shared is None else shared / name
    return str(place) if place is not None and place.is_dir() else None
