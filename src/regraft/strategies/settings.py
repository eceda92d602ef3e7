"""What a user may set; None everywhere means the strategy's own default."""

import math
from dataclasses import dataclass

from regraft.core import OptionError
from regraft.core.plan import BatchNorm, HeadKind, PenaltyKind

OPTIONS = {"learning_rate": "lr"}  # where the option is not named as the field


@dataclass(frozen=True)
class Settings:
    """Departures from a strategy's defaults.

    Attributes:
        boundary: Last frozen stage: a name, `none`, a count or a share.
        head: What is grafted.
        epochs: The most that are trained.
        learning_rate: Of the last stage; earlier ones get less. Without trained stages, of the head.
        batch_size: Samples per optimiser step.
        batch_norm: In trained stages.
        augment: Random views of pictures.
        cache: Store activations at the boundary.
        seed: Of every random choice.
        penalty: What holds a tuned trunk near what it was: `l2-sp`, `lwf` or, with source data, `replay`.
        penalty_strength: Its factor; 0.01, 1 and 1 where nothing is said.
    """

    boundary: str | None = None
    head: HeadKind | None = None
    epochs: int | None = None
    learning_rate: float | None = None
    batch_size: int | None = None
    batch_norm: BatchNorm | None = None
    augment: bool | None = None
    cache: bool | None = None
    seed: int = 0
    penalty: PenaltyKind | None = None
    penalty_strength: float | None = None

    def __post_init__(self) -> None:
        """Raise OptionError for a value that no strategy can use."""
        rate = self.learning_rate
        if rate is not None and not 0 < rate < math.inf:
            raise OptionError(f"--lr {rate}: give a number above 0, such as 1e-4")
        strength = self.penalty_strength
        if strength is not None and not 0 <= strength < math.inf:
            raise OptionError(f"--penalty-strength {strength}: give a number from 0 on, such as 0.01")
        for name, count in (("--epochs", self.epochs), ("--batch-size", self.batch_size)):
            if count is not None and count < 1:
                raise OptionError(f"{name} {count}: give at least 1")

    def refuse(self, strategy: str, **names: str) -> None:
        """Raise OptionError for settings that `strategy` has no use for.

        Args:
            strategy: Its name.
            names: Field name to the reason.
        """
        faults = [
            f"--{OPTIONS.get(name, name).replace('_', '-')}: {why}"
            for name, why in names.items()
            if getattr(self, name) is not None
        ]
        if faults:
            raise OptionError(f"strategy {strategy}: {'; '.join(faults)}")
