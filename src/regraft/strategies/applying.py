"""One set of settings for several strategies: each takes what it has a use for."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from regraft.core import OptionError, TaskKind
from regraft.core.plan import SOLVED
from regraft.strategies import strategy_named
from regraft.strategies.heads import HEADS
from regraft.strategies.settings import TRAINING, UNSMOOTHED, Settings, option_of


@dataclass(frozen=True)
class Arm:
    """A strategy, at a boundary of its own where one is named.

    Attributes:
        strategy: The strategy's name.
        boundary: As `--boundary` takes it; None = the one that is set for all, or the strategy's default.
    """

    strategy: str
    boundary: str | None = None

    @classmethod
    def named(cls, name: str, option: str = "--strategies") -> "Arm":
        """From `lp-ft`, or with a boundary from `partial-fine-tuning@layer3`.

        Raises:
            OptionError: There is no such strategy, or nothing stands after the @.
        """
        strategy, at, boundary = name.partition("@")
        strategy_named(strategy, option)
        if at and not boundary:
            raise OptionError(f"{option} {name}: name a boundary after the @, such as {strategy}@60%")
        return cls(strategy, boundary or None)

    @property
    def name(self) -> str:
        """As `named` reads it."""
        return self.strategy if self.boundary is None else f"{self.strategy}@{self.boundary}"

    def settings(self, shared: Settings, kind: TaskKind) -> Settings:
        """Of the settings for all, those it has a use for, at its own boundary."""
        found = applicable(self.strategy, shared, kind)
        return found if self.boundary is None else replace(found, boundary=self.boundary)


def applicable(strategy: str, settings: Settings, kind: TaskKind) -> Settings:
    """The settings that a strategy has a use for: others would be refused."""
    drop: dict[str, Any] = {}
    solved = strategy == "feature-extraction" and (settings.head or HEADS[kind][0]) in SOLVED
    if not solved and strategy not in {"partial-fine-tuning", "gradual-unfreezing", "lora"}:
        drop["boundary"] = None
    if strategy in {"feature-extraction", "lora"}:
        drop["batch_norm"] = None
    if strategy != "lora":
        drop["rank"] = None
    if solved:
        drop |= dict.fromkeys(TRAINING)
    elif strategy != "feature-extraction" and settings.head in SOLVED:
        drop["head"] = None
    if strategy in {"feature-extraction", "lora", "from-scratch"}:
        drop["layer_decay"] = None
    if strategy in {"feature-extraction", "from-scratch"} or (strategy == "lora" and settings.penalty == "l2-sp"):
        drop |= {"penalty": None, "penalty_strength": None}
    if not kind.startswith("image"):
        drop |= {"batch_norm": None, "augment": None}
    if kind in UNSMOOTHED:
        drop["label_smoothing"] = None
    return replace(settings, **drop)


def check_used(arms: Sequence[Arm], settings: Settings, kind: TaskKind) -> None:
    """Refuse what none of several arms has a use for: it would be left out without a word.

    Raises:
        OptionError: There is such a setting.
    """
    shared = [settings if one.boundary is None else replace(settings, boundary=None) for one in arms]
    taken = [applicable(arm.strategy, of_it, kind) for arm, of_it in zip(arms, shared, strict=True)]
    for field in fields(Settings):
        if getattr(settings, field.name) is not None and all(getattr(one, field.name) is None for one in taken):
            names = ", ".join(arm.name for arm in arms)
            raise OptionError(f"{option_of(field.name)}: none of {names} has a use for it")
