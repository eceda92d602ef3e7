"""What a user may set; None everywhere means the strategy's own default."""

import math
from dataclasses import dataclass

from regraft.core import OptionError, TaskKind
from regraft.core.plan import BatchNorm, HeadKind, PenaltyKind

OPTIONS = {"learning_rate": "lr", "rank": "lora-rank"}  # where the option is not named as the field
# What only training by gradient descent has a use for.
TRAINING = ("epochs", "learning_rate", "layer_decay", "batch_size", "weight_decay", "label_smoothing", "patience")
UNSMOOTHED: tuple[TaskKind, ...] = ("text-regression", "question-answering")  # whose loss is not over classes


def option_of(field: str) -> str:
    """The option of the command line that sets a field."""
    return f"--{OPTIONS.get(field, field).replace('_', '-')}"


@dataclass(frozen=True)
class Settings:
    """Departures from a strategy's defaults.

    Attributes:
        boundary: Last frozen stage: a name, `none`, a count or a share.
        head: What is grafted.
        epochs: The most that are trained.
        learning_rate: Of the last stage; earlier ones get less. Without trained stages, of the head.
        layer_decay: Rate of a stage as a share of the next one's, above 0 and at most 1; 1 = all alike.
        batch_size: Samples per optimiser step.
        weight_decay: Of matrices and filters.
        label_smoothing: Share of the target spread over all classes, from 0 to below 1.
        patience: Epochs without a better validation loss before training stops early; 0 = it never does.
        rank: Of low-rank adapters.
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
    layer_decay: float | None = None
    batch_size: int | None = None
    weight_decay: float | None = None
    label_smoothing: float | None = None
    patience: int | None = None
    rank: int | None = None
    batch_norm: BatchNorm | None = None
    augment: bool | None = None
    cache: bool | None = None
    seed: int = 0
    penalty: PenaltyKind | None = None
    penalty_strength: float | None = None

    def __post_init__(self) -> None:
        """Raise OptionError for a value that no strategy can use."""
        rate, decay, smoothing = self.learning_rate, self.layer_decay, self.label_smoothing
        if rate is not None and not 0 < rate < math.inf:
            raise OptionError(f"--lr {rate}: give a number above 0, such as 1e-4")
        if decay is not None and not 0 < decay <= 1:
            raise OptionError(f"--layer-decay {decay}: give a share above 0 and at most 1, such as 0.7")
        if smoothing is not None and not 0 <= smoothing < 1:
            raise OptionError(f"--label-smoothing {smoothing}: give a share from 0 to below 1, such as 0.1")
        for name in ("penalty_strength", "weight_decay"):
            value = getattr(self, name)
            if value is not None and not 0 <= value < math.inf:
                raise OptionError(f"{option_of(name)} {value}: give a number from 0 on, such as 0.01")
        for name, least in (("epochs", 1), ("batch_size", 1), ("rank", 1), ("patience", 0)):
            count = getattr(self, name)
            if count is not None and count < least:
                raise OptionError(f"{option_of(name)} {count}: give at least {least}")

    def refuse_for(self, strategy: str, kind: TaskKind) -> None:
        """Raise OptionError for settings of pictures where the task is of texts."""
        if not kind.startswith("image"):
            self.refuse(
                strategy,
                batch_norm="text networks have no BatchNorm",
                augment="texts have no random views",
            )

    def refuse(self, strategy: str, **names: str) -> None:
        """Raise OptionError for settings that `strategy` has no use for.

        Args:
            strategy: Its name.
            names: Field name to the reason.
        """
        faults = [f"{option_of(name)}: {why}" for name, why in names.items() if getattr(self, name) is not None]
        if faults:
            raise OptionError(f"strategy {strategy}: {'; '.join(faults)}")
