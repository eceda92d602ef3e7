"""What every objective offers; nothing inherits from it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Draw:
    """One process's part of a step's batch.

    Attributes:
        inputs: What the learner's `forward` takes.
        terms: How many terms the loss of the whole batch has, over all processes: its mean is over these.
    """

    inputs: tuple[Tensor, ...]
    terms: int


class Objective(Protocol):
    """What is to be learnt, from what, and how it is told whether that works."""

    @property
    def learner(self) -> nn.Module:
        """Trunk and training-only parts; `forward(*inputs)` is the sum of the loss's terms, a scalar."""
        ...

    @property
    def count(self) -> int:
        """How many samples there are to learn from."""
        ...

    def draw(self, rows: Sequence[int], mine: slice, generator: torch.Generator, share: float) -> Draw:
        """A batch, random views included; the same whatever the number of processes.

        Args:
            rows: Samples of the whole batch.
            mine: The part that this process computes.
            generator: The only source of randomness.
            share: Share of the run that is done, 0-1.
        """
        ...

    def cost(self, share: float) -> float:
        """Relative cost of a sample at a share of the run: time left is told by it."""
        ...

    def held_out(self, device: str, *, all_of_it: bool) -> dict[str, float]:
        """Figures on data that is not learnt from; a quick part of it, or all."""
        ...

    def write(self, folder: Path, facts: dict[str, Any]) -> None:
        """The backbone in its ecosystem's form, with its source head, in an existing folder.

        Args:
            folder: Where.
            facts: Tag and licence, where the form has a place for them.
        """
        ...
