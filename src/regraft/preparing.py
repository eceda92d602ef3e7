"""From a strategy's name, a choice or `auto` to a plan and the backbone it is for; nothing is trained yet."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from regraft.backbones import load_backbone, reinitialised
from regraft.backbones.contract import Backbone
from regraft.core import Choice, OptionError, Outline, Plan, Recommendation, Task, TaskKind
from regraft.measuring.advise import BUDGET_SECONDS, advise
from regraft.recommending import settings_of
from regraft.running import resolve_device
from regraft.running.resources import Resources
from regraft.strategies import Settings, strategy_named
from regraft.strategies.applying import applicable

Progress = Callable[[str, int, int], None]

CHOICE_FILE = "choice.json"


@dataclass(frozen=True)
class Prepared:
    """A plan and the backbone it is for, before anything is run; with `auto`, also what chose it, and within what."""

    plan: Plan
    backbone: Backbone
    advice: Recommendation | None = None
    fixed: Settings = field(default_factory=Settings)

    @property
    def outline(self) -> Outline:
        """The backbone's stages."""
        return self.backbone.outline


def recommend(
    task: Task,
    backbones: str | Backbone | Sequence[str | Backbone] = "auto",
    *,
    budget_seconds: float = BUDGET_SECONDS,
    settings: Settings | None = None,
    resources: Resources | None = None,
    progress: Progress | None = None,
) -> Recommendation:
    """Which strategy on which backbone: measured on the training part alone, ranked, with reasons.

    Args:
        task: What `open_task` returned.
        backbones: One or several, as `--backbone` takes them, or loaded ones, which are left as they were.
        budget_seconds: Wall time, about; with less of it intervals are wider.
        settings: What is fixed already.
        resources: Device, precision, cache.
        progress: Called with (what, done, total).

    Raises:
        InputError: A backbone cannot be had, or reads something else than the task holds.

    Example:
        >>> from regraft.demo import intents_folder
        >>> from regraft.tasks import open_task
        >>> task = open_task(intents_folder())
        >>> recommend(task, ["bundled:minilm"], budget_seconds=5).best.backbone
        'bundled:minilm'
    """
    resources = resources or Resources()
    named = [backbones] if isinstance(backbones, str) or not isinstance(backbones, Sequence) else backbones
    trunks = [trunk_for(task, one, resources) for one in named]
    return advise(
        task, trunks, settings=settings, resources=resources, budget_seconds=budget_seconds, progress=progress
    )


def prepare(
    task: Task,
    strategy: str | Choice = "auto",
    backbone: str | Backbone = "auto",
    settings: Settings | None = None,
    resources: Resources | None = None,
    *,
    budget_seconds: float = BUDGET_SECONDS,
    progress: Progress | None = None,
) -> Prepared:
    """The plan that `fit` would run, and the backbone it is for.

    Args:
        task: What `open_task` returned.
        strategy: A name, or a choice of a recommendation; `auto` = the best choice of one that is made now.
        backbone: As `--backbone` takes it, or a loaded one; a choice brings its own unless a loaded one is given.
        settings: What departs from the strategy's defaults.
        resources: Device, precision, cache.
        budget_seconds: Wall time of the recommendation, with `auto`.
        progress: Called with (what, done, total).

    Raises:
        InputError: A name or setting is wrong; nothing has been computed.
    """
    settings, resources = settings or Settings(), resources or Resources()
    fixed = settings
    resolve_device(resources.device)
    advice: Recommendation | None = None
    if strategy == "auto":
        backbone = trunk_for(task, backbone, resources)
        advice = advise(
            task,
            [backbone],
            settings=settings,
            resources=resources,
            budget_seconds=budget_seconds,
            progress=progress,
        )
        strategy = advice.best
    if isinstance(strategy, Choice):
        backbone = trunk_for(task, strategy.backbone if isinstance(backbone, str) else backbone, resources)
        settings = _settings_of(strategy, backbone.outline, task.kind, settings)
        strategy = strategy.strategy
    chosen = strategy_named(strategy)
    backbone = trunk_for(task, backbone, resources)
    plan = chosen.plan(backbone.outline, task.summary(), settings)
    plan.check(backbone.outline)
    if plan.start == "random":
        backbone = reinitialised(backbone, plan.seed)
    return Prepared(plan, backbone, advice, fixed)


def keep_choice(prepared: Prepared, folder: Path) -> None:
    """Note in a run's folder what `auto` chose: measured again, on a busier machine, it might choose otherwise."""
    if prepared.advice is None:
        return
    folder.mkdir(parents=True, exist_ok=True)
    told = {"choice": asdict(prepared.advice.best), "fixed": asdict(prepared.fixed)}
    draft = folder / f"{CHOICE_FILE}.draft"
    draft.write_text(json.dumps(told), encoding="utf-8")
    draft.replace(folder / CHOICE_FILE)


def kept_choice(folder: Path, settings: Settings) -> Choice | None:
    """What `auto` chose for an interrupted run; None where it chose nothing.

    Raises:
        OptionError: That was within other settings.
    """
    try:
        told = json.loads((folder / CHOICE_FILE).read_text(encoding="utf-8"))
        choice = Choice(**{**told["choice"], "reasons": tuple(told["choice"]["reasons"])})
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if told["fixed"] != asdict(settings):
        raise OptionError(f"--resume: {folder.parent} was begun with other options; give the same, or another --out")
    return choice


def trunk_for(task: Task, backbone: str | Backbone, resources: Resources) -> Backbone:
    """A backbone that reads what the task holds; a loaded one as it is.

    Raises:
        BackboneError: It is not to be had, or reads something else.
    """
    if not isinstance(backbone, str):
        return backbone
    reads: Literal["image", "text"] = "image" if task.kind.startswith("image") else "text"
    return load_backbone(backbone, kind=reads, offline=resources.offline)


def _settings_of(choice: Choice, outline: Outline, kind: TaskKind, settings: Settings) -> Settings:
    """The settings that make `fit` run a choice."""
    kept = applicable(choice.strategy, settings, kind)
    if choice.strategy == "feature-extraction":  # which stage it reads is the choice's to say
        kept = replace(kept, boundary=None)
    last = outline.stages[-1].name
    fields: dict[str, Any] = settings_of(choice.boundary, last, choice.epochs, choice.learning_rate)
    return replace(kept, **{"head": choice.head, **fields})
