"""What holds a trunk near what it was while it trains."""

from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor, nn

from regraft.activations.extract import pooled_features
from regraft.backbones.contract import Backbone, State, pooled_last
from regraft.backbones.scratch import copied
from regraft.backbones.source_heads import source_head
from regraft.core import BackboneError, Penalty, Split, Train
from regraft.running.batches import Supply

TEMPERATURE = 2.0  # Li and Hoiem 2016, section 3


class Through(Protocol):
    """The trunk as the loop runs it."""

    def __call__(self, state: State, start: int, frozen: int, trunk: Backbone | None = None) -> State:
        """The state that leaves the last stage, given the one that enters `start`; frozen stages build no graph."""
        ...


class Keeper(Protocol):
    """A term that is added to the loss."""

    def begin(self, through: Through, phase: Train, order: Sequence[Sequence[int]], epoch: int) -> None:
        """Told before each epoch: the trunk as the loop runs it, the phase, its batches and the epoch's number."""
        ...

    def loss(self, positions: Sequence[int], entered: State, start: int, state: State) -> Tensor:
        """The term for a batch, a scalar.

        Args:
            positions: Of its samples.
            entered: The state that entered the trunk.
            start: The stage that it entered.
            state: The state after the last stage.
        """
        ...


class StartingPoint:
    """Half the squared distance of the weights from where they started, times a strength (Li 2018, L2-SP)."""

    def __init__(self, backbone: Backbone, strength: float) -> None:
        self._module = backbone.module
        self._start = {name: one.detach().clone() for name, one in backbone.module.named_parameters()}
        self._strength = strength

    def begin(self, through: Through, phase: Train, order: Sequence[Sequence[int]], epoch: int) -> None:
        """Nothing to prepare."""

    def loss(self, positions: Sequence[int], entered: State, start: int, state: State) -> Tensor:
        """The same for every batch."""
        moved = [
            (one - self._start[name].to(one.device)).square().sum()
            for name, one in self._module.named_parameters()
            if one.requires_grad
        ]
        return self._strength / 2 * torch.stack(moved).sum() if moved else torch.zeros(())


class OldAnswers:
    """Distance from what the trunk said of the same inputs before (Li and Hoiem 2016, "Learning without Forgetting").

    Through the original head, as the divergence of its softened answers; without one, as 1 - cosine of the features.
    """

    def __init__(self, backbone: Backbone, split: Split, supply: Supply, strength: float) -> None:
        self._backbone, self._last, self._strength = backbone, len(backbone.outline) - 1, strength
        self._head = _original(backbone)
        self._stored = torch.zeros(0)
        self._trunk: Backbone | None = None
        self._through: Through | None = None
        if backbone.kind == "image":
            # Each epoch shows another view, and the old answer must be to that one: one more pass of what trains.
            self._trunk = copied(backbone)
            self._trunk.module.to(supply.device)
        else:  # a text is always the same: its old answers are computed once
            (features,), _ = pooled_features(
                backbone, split.samples, supply.store, stages=[self._last], device=supply.device, precision="fp32"
            )
            self._stored = torch.from_numpy(features)

    def begin(self, through: Through, phase: Train, order: Sequence[Sequence[int]], epoch: int) -> None:
        """The old trunk is run as the new one is."""
        self._through = through

    def loss(self, positions: Sequence[int], entered: State, start: int, state: State) -> Tensor:
        """Of the batch's samples, their mean."""
        now = pooled_last(self._backbone, state)
        old = self._old(positions, entered, start).to(now.device)
        if self._head is None:
            return self._strength * (1 - torch.cosine_similarity(now, old, dim=1)).mean()
        head = self._head.to(now.device)
        wanted, said = (head(values) / TEMPERATURE for values in (old, now))
        divergence = nn.functional.kl_div(
            said.log_softmax(dim=1), wanted.log_softmax(dim=1), reduction="batchmean", log_target=True
        )
        return self._strength * TEMPERATURE**2 * divergence

    def _old(self, positions: Sequence[int], entered: State, start: int) -> Tensor:
        """Pooled features of a batch by the trunk as it was, (B, D)."""
        if self._trunk is None or self._through is None:
            return self._stored[list(positions)]
        with torch.no_grad():
            left = self._through(entered, start, len(self._trunk.outline), self._trunk)
            return pooled_last(self._trunk, left)


def _original(backbone: Backbone) -> nn.Module | None:
    try:
        return source_head(backbone.passport, offline=True).module
    except BackboneError:
        return None


def build_keeper(penalty: Penalty, backbone: Backbone, split: Split, supply: Supply) -> Keeper:
    """The term that a penalty stands for; call before the trunk moves."""
    if penalty.kind == "l2-sp":
        return StartingPoint(backbone, penalty.strength)
    return OldAnswers(backbone, split, supply, penalty.strength)
