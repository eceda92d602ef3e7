"""Heads that turn pooled features (B, D) into logits (B, C)."""

import math

import torch
from torch import Tensor, nn

from regraft.heads.contract import Head

# Small, so that the first logits are near 0 and the first loss near ln C whatever the features' scale.
WEIGHT_STD = 0.01
MLP_WIDTH = 512
MLP_DROPOUT = 0.1


class ClassHead(Head):
    """Cross-entropy over C classes; targets are (B,) int64."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.classes = classes

    def loss(self, outputs: Tensor, targets: Tensor, smoothing: float) -> Tensor:
        """Summed cross-entropy."""
        return nn.functional.cross_entropy(outputs, targets, label_smoothing=smoothing, reduction="sum")

    def right(self, outputs: Tensor, targets: Tensor) -> int | None:
        """How many samples have their own class as the most probable."""
        return int((outputs.argmax(dim=1) == targets).sum())

    def first_loss(self) -> float | None:
        """Ln C."""
        return math.log(max(self.classes, 2))


class LogisticHead(ClassHead):
    """Multinomial logistic regression on standardised features; solved, not trained."""

    mean: Tensor
    scale: Tensor
    weight: Tensor
    bias: Tensor

    def __init__(self, width: int, classes: int) -> None:
        super().__init__(classes)
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("scale", torch.ones(width))
        self.weight = nn.Parameter(torch.zeros(classes, width), requires_grad=False)
        self.bias = nn.Parameter(torch.zeros(classes), requires_grad=False)

    def forward(self, features: Tensor) -> Tensor:
        """Logits (B, C)."""
        return nn.functional.linear((features - self.mean) / self.scale, self.weight, self.bias)


class LinearHead(ClassHead):
    """One dense layer."""

    def __init__(self, width: int, classes: int) -> None:
        super().__init__(classes)
        self.output = small(nn.Linear(width, classes))

    def forward(self, features: Tensor) -> Tensor:
        """Logits (B, C)."""
        logits: Tensor = self.output(features)
        return logits


class MlpHead(ClassHead):
    """Two dense layers with a norm before them, so that it suits features of any scale."""

    def __init__(self, width: int, classes: int) -> None:
        super().__init__(classes)
        self.layers = mlp(width, classes)

    def forward(self, features: Tensor) -> Tensor:
        """Logits (B, C)."""
        logits: Tensor = self.layers(features)
        return logits


def mlp(width: int, outputs: int) -> nn.Sequential:
    """A norm, a hidden layer of 512 and an output layer that begins small."""
    return nn.Sequential(
        nn.LayerNorm(width),
        nn.Linear(width, MLP_WIDTH),
        nn.GELU(),
        nn.Dropout(MLP_DROPOUT),
        small(nn.Linear(MLP_WIDTH, outputs)),
    )


def small(layer: nn.Linear) -> nn.Linear:
    """The layer with small random weights and no bias."""
    nn.init.normal_(layer.weight, std=WEIGHT_STD)
    nn.init.zeros_(layer.bias)
    return layer
