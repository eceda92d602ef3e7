"""What partial and whole-model fine-tuning have in common: stages after a boundary train, the last fastest."""

from dataclasses import replace

from regraft.core import OptionError, Outline, Penalty, Plan, TaskKind, TaskSummary, Train
from regraft.core.plan import PenaltyKind
from regraft.strategies.heads import choose_head
from regraft.strategies.rates import HEAD_SCALE, discriminative, epochs_for, rates_for
from regraft.strategies.settings import UNSMOOTHED, Settings

BATCH_SIZE = 32


def tuning_plan(
    name: str, outline: Outline, summary: TaskSummary, settings: Settings, *, frozen: int, most_epochs: int
) -> Plan:
    """A plan of one phase that trains all stages from `frozen` on."""
    head = choose_head(name, summary.kind, settings, solved=False)
    settings.refuse_for(name, summary.kind)
    settings.refuse(name, rank="there are no adapters; use strategy lora")
    rate = settings.learning_rate or rates_for(outline).tuning
    batch_size = settings.batch_size or BATCH_SIZE
    phase = Train(
        epochs=settings.epochs or epochs_for(summary, batch_size, fewest=4, most=most_epochs),
        rates=discriminative(len(outline), frozen, rate, settings.layer_decay),
        head_rate=HEAD_SCALE * rate,
        batch_size=batch_size,
        batch_norm=settings.batch_norm or "frozen",
        label_smoothing=0.1 if summary.kind == "image-classification" else 0.0,
        augment=settings.augment is not False,
        cache=settings.cache is not False,
        penalty=_penalty(settings),
    )
    return Plan(name, head, (regularised(phase, name, summary.kind, settings),), seed=settings.seed)


def regularised(phase: Train, strategy: str, kind: TaskKind, settings: Settings) -> Train:
    """The phase with the weight decay, label smoothing and patience that were asked for."""
    if kind in UNSMOOTHED:
        settings.refuse(strategy, label_smoothing=f"{kind} has no classes to spread a target over")
    said = {name: getattr(settings, name) for name in ("weight_decay", "label_smoothing", "patience")}
    return replace(phase, **{name: value for name, value in said.items() if value is not None})


# Li 2018 tries L2-SP from 0.001 to 1; Li and Hoiem 2016 give old and new answers the same weight; a replayed sample
# counts as much as one of the target.
STRENGTHS: dict[PenaltyKind, float] = {"l2-sp": 0.01, "lwf": 1.0, "replay": 1.0}


def _penalty(settings: Settings) -> Penalty | None:
    """The penalty asked for.

    Raises:
        OptionError: A strength without a penalty.
    """
    if settings.penalty is None:
        if settings.penalty_strength is not None:
            raise OptionError("--penalty-strength: there is no penalty; name one with --penalty")
        return None
    strength = settings.penalty_strength
    return Penalty(settings.penalty, STRENGTHS[settings.penalty] if strength is None else strength)
