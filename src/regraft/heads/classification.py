"""Heads that turn pooled features (B, D) into logits (B, C)."""

import torch
from torch import Tensor, nn

from regraft.core.plan import HeadKind

# Small, so that the first logits are near 0 and the first loss near ln C whatever the features' scale.
WEIGHT_STD = 0.01
MLP_WIDTH = 512
MLP_DROPOUT = 0.1


class LogisticHead(nn.Module):
    """Multinomial logistic regression on standardised features; solved, not trained."""

    mean: Tensor
    scale: Tensor
    weight: Tensor
    bias: Tensor

    def __init__(self, width: int, classes: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("scale", torch.ones(width))
        self.weight = nn.Parameter(torch.zeros(classes, width), requires_grad=False)
        self.bias = nn.Parameter(torch.zeros(classes), requires_grad=False)

    def forward(self, features: Tensor) -> Tensor:
        """Logits (B, C)."""
        return nn.functional.linear((features - self.mean) / self.scale, self.weight, self.bias)


class LinearHead(nn.Module):
    """One dense layer."""

    def __init__(self, width: int, classes: int) -> None:
        super().__init__()
        self.output = _small(nn.Linear(width, classes))

    def forward(self, features: Tensor) -> Tensor:
        """Logits (B, C)."""
        logits: Tensor = self.output(features)
        return logits


class MlpHead(nn.Module):
    """Two dense layers with a norm before them, so that it suits features of any scale."""

    def __init__(self, width: int, classes: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.LayerNorm(width),
            nn.Linear(width, MLP_WIDTH),
            nn.GELU(),
            nn.Dropout(MLP_DROPOUT),
            _small(nn.Linear(MLP_WIDTH, classes)),
        )

    def forward(self, features: Tensor) -> Tensor:
        """Logits (B, C)."""
        logits: Tensor = self.layers(features)
        return logits


# Name on the command line, and its class; a new head is one class and one line.
HEADS: tuple[tuple[HeadKind, type[LogisticHead] | type[LinearHead] | type[MlpHead]], ...] = (
    ("logistic", LogisticHead),
    ("linear", LinearHead),
    ("mlp", MlpHead),
)


def build_head(kind: HeadKind, width: int, classes: int, seed: int) -> nn.Module:
    """A new head whose weights depend on `seed` alone.

    Args:
        kind: `logistic`, `linear` or `mlp`.
        width: D of the features it reads.
        classes: C.
        seed: Of the initialisation; torch's global random state is left as it was.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return dict(HEADS)[kind](width, classes)


def _small(layer: nn.Linear) -> nn.Linear:
    nn.init.normal_(layer.weight, std=WEIGHT_STD)
    nn.init.zeros_(layer.bias)
    return layer
