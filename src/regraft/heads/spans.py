"""Two dense outputs on every token, for where an answer starts and ends (Devlin 2019, "BERT", section 4.2)."""

from torch import Tensor, nn

from regraft.heads.classification import small
from regraft.heads.contract import Head, Reads


class SpanHead(Head):
    """Hidden states (B, T, D) to logits (B, T, 2) of start and end; targets are (B, 2) int64 positions.

    Position 0 stands for no answer in this window.
    """

    reads: Reads = "tokens"

    def __init__(self, width: int, outputs: int = 2) -> None:
        super().__init__()
        self.output = small(nn.Linear(width, outputs))

    def forward(self, hidden: Tensor, mask: Tensor) -> Tensor:
        """Logits (B, T, 2); minus infinity at the padding."""
        logits: Tensor = self.output(hidden)
        return logits.masked_fill(~mask.bool()[:, :, None], float("-inf"))

    def loss(self, outputs: Tensor, targets: Tensor, smoothing: float) -> Tensor:
        """The mean of the cross-entropies of start and end over positions, summed over the batch."""
        return nn.functional.cross_entropy(outputs, targets, reduction="sum") / 2

    def right(self, outputs: Tensor, targets: Tensor) -> int | None:
        """How many windows get both ends right."""
        return int((outputs.argmax(dim=1) == targets).all(dim=1).sum())
