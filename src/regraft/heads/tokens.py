"""A dense layer on every token, for a tag per word (Devlin 2019, "BERT", section 5.3)."""

import math

from torch import Tensor, nn

from regraft.heads.classification import small
from regraft.heads.contract import Head, Reads

IGNORED = -100  # the target of tokens that carry no tag: padding, and all but a word's first token
DROPOUT = 0.1


class TokenHead(Head):
    """Hidden states (B, T, D) to logits (B, T, C); targets are (B, >= T) int64, `IGNORED` where there is no tag."""

    reads: Reads = "tokens"

    def __init__(self, width: int, classes: int) -> None:
        super().__init__()
        self.classes = classes
        self.dropout = nn.Dropout(DROPOUT)
        self.output = small(nn.Linear(width, classes))

    def forward(self, hidden: Tensor, mask: Tensor) -> Tensor:
        """Logits (B, T, C)."""
        logits: Tensor = self.output(self.dropout(hidden))
        return logits

    def loss(self, outputs: Tensor, targets: Tensor, smoothing: float) -> Tensor:
        """Cross-entropy summed over the words."""
        wanted = targets[:, : outputs.shape[1]]
        return nn.functional.cross_entropy(
            outputs.transpose(1, 2), wanted, ignore_index=IGNORED, label_smoothing=smoothing, reduction="sum"
        )

    def terms(self, targets: Tensor) -> int:
        """How many words have a tag."""
        return int((targets != IGNORED).sum())

    def right(self, outputs: Tensor, targets: Tensor) -> int | None:
        """How many words get their own tag."""
        return int((outputs.argmax(dim=2) == targets[:, : outputs.shape[1]]).sum())

    def first_loss(self) -> float | None:
        """Ln C."""
        return math.log(max(self.classes, 2))
