"""Everything that could be done with a backbone: each strategy at each boundary, as a plan that nothing has run yet."""

from dataclasses import dataclass, replace
from typing import Any

from regraft.core import OptionError, Outline, Plan, PlanError, TaskKind, TaskSummary, Train
from regraft.core.plan import ALL_STAGES, SOLVED
from regraft.strategies import STRATEGIES, Settings, strategy_named
from regraft.strategies.heads import HEADS
from regraft.strategies.settings import TRAINING

PROBE, PARTIAL, SCRATCH = "feature-extraction", "partial-fine-tuning", "from-scratch"


@dataclass(frozen=True)
class Offer:
    """One strategy at one boundary of one backbone.

    Attributes:
        backbone: As `--backbone` takes it.
        strategy: Its name.
        boundary: The last frozen stage, `none`, or `all` for a probe of all stages.
        settings: What to give `fit` so that it runs this.
        plan: What that is.
        frozen_share: Frozen stages as a share of all, 0-1; of a probe, how deep the stage is that it reads.
        usual: The boundary is the strategy's own default, or the one that the user fixed; of a probe, it reads the last stage.
    """

    backbone: str
    strategy: str
    boundary: str
    settings: Settings
    plan: Plan
    frozen_share: float
    usual: bool

    @property
    def arm(self) -> str:
        """Its name among the measurements: `lp-ft`, `partial-fine-tuning@layer3`."""
        return self.strategy if self.usual else f"{self.strategy}@{self.boundary}"

    @property
    def epochs(self) -> int:
        """The most epochs of its last phase; 0 for a solved head."""
        last = self.plan.phases[-1]
        return last.epochs if isinstance(last, Train) else 0

    @property
    def learning_rate(self) -> float:
        """The largest rate of the trunk; of the head where the trunk is frozen; 0.0 for a solved head."""
        last = self.plan.phases[-1]
        if not isinstance(last, Train):
            return 0.0
        return max(last.rates) or last.head_rate


def offers_for(backbone: str, outline: Outline, summary: TaskSummary, settings: Settings) -> tuple[Offer, ...]:
    """All strategies, the cheapest first, each at its usual boundary first.

    Args:
        backbone: As `--backbone` takes it.
        outline: Its stages.
        summary: Counts of the task.
        settings: What the user has fixed; a strategy that cannot do it is not offered.

    Raises:
        OptionError: No strategy can do it.
    """
    settings.refuse_for("auto", summary.kind)
    found: list[Offer] = []
    refused: list[str] = []
    for strategy in STRATEGIES:
        fixed = _fixed(strategy.name, settings, summary.kind)
        for boundary in (None,) if fixed.boundary else (None, *_boundaries(strategy.name, outline, summary, fixed)):
            asked = fixed if boundary is None else replace(fixed, boundary=boundary)
            try:
                plan = strategy_named(strategy.name).plan(outline, summary, asked)
                plan.check(outline)
            except (OptionError, PlanError) as error:
                refused.append(str(error))
                continue
            offer = _offer(backbone, outline, strategy.name, asked, plan, varied=boundary is not None)
            if all((one.strategy, one.boundary) != (offer.strategy, offer.boundary) for one in found):
                found.append(offer)
    if not found:
        raise OptionError(f"no strategy can do what is asked for; {refused[0]}")
    return tuple(found)


def _fixed(strategy: str, settings: Settings, kind: TaskKind) -> Settings:
    """What the user fixed; how to train says nothing to a solved head, and is no reason not to offer one."""
    if strategy != PROBE or (settings.head or HEADS[kind][0]) not in SOLVED:
        return settings
    dropped: dict[str, Any] = dict.fromkeys((*TRAINING, "batch_norm"))
    return replace(settings, **dropped)


def _boundaries(strategy: str, outline: Outline, summary: TaskSummary, settings: Settings) -> tuple[str, ...]:
    """The boundaries beside the usual one that make a difference."""
    names = tuple(stage.name for stage in outline)
    if strategy == PROBE and (settings.head is None or settings.head in SOLVED):
        solved = summary.kind in {"image-classification", "text-classification", "text-regression"}
        return (ALL_STAGES, *reversed(names[:-1])) if solved else ()
    return tuple(reversed(names[:-1])) if strategy == PARTIAL else ()


def _offer(backbone: str, outline: Outline, strategy: str, settings: Settings, plan: Plan, *, varied: bool) -> Offer:
    frozen = plan.frozen(outline)
    boundary, share = outline.boundary_name(frozen), frozen / len(outline)
    probed = strategy == PROBE and settings.boundary is not None
    if probed and settings.boundary == ALL_STAGES:
        boundary = ALL_STAGES
    elif probed:
        read = outline.frozen_stages(settings.boundary or "")
        boundary, share = outline.boundary_name(read), read / len(outline)
    usual = boundary == outline.stages[-1].name if strategy == PROBE else not varied
    return Offer(backbone, strategy, boundary, settings, plan, share, usual)


def settings_of(boundary: str, last_stage: str, epochs: int, learning_rate: float) -> dict[str, Any]:
    """The fields of `Settings` that make `fit` run a choice; what is not named keeps its default.

    Args:
        boundary: The choice's.
        last_stage: Name of the backbone's last stage.
        epochs: The choice's; 0 = solved.
        learning_rate: The choice's; 0.0 = solved.
    """
    found: dict[str, Any] = {}
    if boundary not in {last_stage, "none"}:
        found["boundary"] = boundary
    if epochs:
        found |= {"epochs": epochs, "learning_rate": learning_rate}
    return found
