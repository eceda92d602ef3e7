"""One set of settings for several strategies: each takes what it has a use for."""

from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

from regraft.core import OptionError, TaskKind
from regraft.core.plan import SOLVED
from regraft.strategies.heads import HEADS
from regraft.strategies.settings import TRAINING, UNSMOOTHED, Settings, option_of


def applicable(strategy: str, settings: Settings, kind: TaskKind) -> Settings:
    """The settings that a strategy has a use for: others would be refused."""
    drop: dict[str, Any] = {}
    if strategy not in {"partial-fine-tuning", "gradual-unfreezing", "lora"}:
        drop["boundary"] = None
    if strategy in {"feature-extraction", "lora"}:
        drop["batch_norm"] = None
    if strategy != "lora":
        drop["rank"] = None
    if strategy == "feature-extraction":
        if (settings.head or HEADS[kind][0]) in SOLVED:
            drop |= dict.fromkeys(TRAINING)
    elif settings.head in SOLVED:
        drop["head"] = None
    if strategy in {"feature-extraction", "lora", "from-scratch"}:
        drop["layer_decay"] = None
    if strategy in {"feature-extraction", "from-scratch"} or (strategy == "lora" and settings.penalty == "l2-sp"):
        drop |= {"penalty": None, "penalty_strength": None}
    if kind in UNSMOOTHED:
        drop["label_smoothing"] = None
    return replace(settings, **drop)


def check_used(strategies: Sequence[str], settings: Settings, kind: TaskKind) -> None:
    """Refuse what none of several strategies has a use for: it would be left out without a word.

    Raises:
        OptionError: There is such a setting.
    """
    taken = [applicable(one, settings, kind) for one in strategies]
    for field in fields(Settings):
        if getattr(settings, field.name) is not None and all(getattr(one, field.name) is None for one in taken):
            raise OptionError(f"{option_of(field.name)}: none of {', '.join(strategies)} has a use for it")
