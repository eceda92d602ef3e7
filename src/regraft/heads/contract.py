"""What every head offers."""

from typing import Literal

from torch import Tensor, nn

# What a head reads of the state that leaves the last stage: pooled features (B, D); those of a pair's two
# texts as well; or the tokens' hidden states (B, T, D) with their mask (B, T).
Reads = Literal["pooled", "pairs", "tokens"]


class Head(nn.Module):
    """From what it reads of a trunk to outputs, and from outputs and targets to a loss."""

    reads: Reads = "pooled"
    taps: tuple[int, ...] = ()  # the stages whose pooled features stand side by side; empty = the last alone

    def begin(self, targets: Tensor) -> None:
        """Take what the head must know of the training targets before it learns; nothing by default."""

    def loss(self, outputs: Tensor, targets: Tensor, smoothing: float) -> Tensor:
        """The summed loss of a batch, a scalar; divided by `terms` it is the mean."""
        raise NotImplementedError

    def terms(self, targets: Tensor) -> int:
        """How many terms `loss` sums over."""
        return len(targets)

    def right(self, outputs: Tensor, targets: Tensor) -> int | None:
        """How many of these terms are predicted exactly; None where exactness has no meaning."""
        return None

    def first_loss(self) -> float | None:
        """The mean loss that a new head starts near; None where it is not known."""
        return None
