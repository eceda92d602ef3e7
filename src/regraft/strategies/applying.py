"""One set of settings for several strategies: each takes what it has a use for."""

from dataclasses import replace
from typing import Any

from regraft.core import TaskKind
from regraft.core.plan import SOLVED
from regraft.strategies.heads import HEADS
from regraft.strategies.settings import Settings


def applicable(strategy: str, settings: Settings, kind: TaskKind) -> Settings:
    """The settings that a strategy has a use for: others would be refused."""
    drop: dict[str, Any] = {}
    if strategy not in {"partial-fine-tuning", "gradual-unfreezing", "lora"}:
        drop["boundary"] = None
    if strategy in {"feature-extraction", "lora"}:
        drop["batch_norm"] = None
    if strategy == "feature-extraction":
        if (settings.head or HEADS[kind][0]) in SOLVED:
            drop |= {"epochs": None, "learning_rate": None, "batch_size": None}
    elif settings.head in SOLVED:
        drop["head"] = None
    if strategy in {"feature-extraction", "lora", "from-scratch"}:
        drop |= {"penalty": None, "penalty_strength": None}
    return replace(settings, **drop)
