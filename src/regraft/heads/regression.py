"""Heads that turn pooled features (B, D) into quantities (B, 1), in the units of the targets."""

import torch
from torch import Tensor, nn

from regraft.heads.classification import mlp, small
from regraft.heads.contract import Head


class QuantityHead(Head):
    """Squared error in standard deviations of the training targets; targets are (B,) float32."""

    centre: Tensor
    spread: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("centre", torch.zeros(1))
        self.register_buffer("spread", torch.ones(1))

    def begin(self, targets: Tensor) -> None:
        """Remember mean and standard deviation, so that rates need not fit the unit."""
        self.centre.fill_(float(targets.float().mean()))
        spread = float(targets.float().std(correction=0)) if len(targets) > 1 else 0.0
        self.spread.fill_(spread or 1.0)

    def loss(self, outputs: Tensor, targets: Tensor, smoothing: float) -> Tensor:
        """Summed squared error, 1 a sample for a head that knows the mean alone."""
        return ((outputs[:, 0] - targets.to(outputs.dtype)) / self.spread).square().sum()

    def first_loss(self) -> float | None:
        """1: the variance of standardised targets."""
        return 1.0


class RidgeHead(QuantityHead):
    """Ridge regression on standardised features; solved, not trained."""

    mean: Tensor
    scale: Tensor
    weight: Tensor

    def __init__(self, width: int, outputs: int = 1) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("scale", torch.ones(width))
        self.weight = nn.Parameter(torch.zeros(outputs, width), requires_grad=False)

    def forward(self, features: Tensor) -> Tensor:
        """Quantities (B, 1)."""
        return nn.functional.linear((features - self.mean) / self.scale, self.weight) + self.centre


class LinearQuantityHead(QuantityHead):
    """One dense layer."""

    def __init__(self, width: int, outputs: int = 1) -> None:
        super().__init__()
        self.output = small(nn.Linear(width, outputs))

    def forward(self, features: Tensor) -> Tensor:
        """Quantities (B, 1)."""
        values: Tensor = self.output(features) * self.spread + self.centre
        return values


class MlpQuantityHead(QuantityHead):
    """Two dense layers."""

    def __init__(self, width: int, outputs: int = 1) -> None:
        super().__init__()
        self.layers = mlp(width, outputs)

    def forward(self, features: Tensor) -> Tensor:
        """Quantities (B, 1)."""
        values: Tensor = self.layers(features) * self.spread + self.centre
        return values
