"""Freezing is a contract: no gradient, no statistics, no dropout, and bytes that do not change."""

from collections.abc import Iterator

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from regraft.activations.recipes import prefix_hash
from regraft.backbones.contract import Backbone, stage_modules, stage_parameters
from regraft.core import FrozenDriftError, Train
from regraft.core.plan import BatchNorm
from regraft.running.adapters import MARK


def apply_freeze(backbone: Backbone, phase: Train) -> None:
    """Set every stage to frozen or trained as the phase says; called again at each epoch and on resume.

    A frozen stage is in evaluation mode and has no gradients. In a trained one, BatchNorm follows
    `phase.batch_norm`: `frozen` keeps its statistics and trains its scale and shift,
    `adapt-statistics` lets the statistics follow the data and keeps scale and shift, `train` does both.
    """
    backbone.module.eval()
    for stage, rate in enumerate(phase.rates):
        for name, parameter in stage_parameters(backbone, stage).items():
            parameter.requires_grad_(rate > 0 and (phase.adapter is None or MARK in name))
            parameter.grad = None
        if rate > 0:
            for module in stage_modules(backbone, stage):
                module.train()
                _set_batch_norm(module, phase.batch_norm)


def _set_batch_norm(module: nn.Module, mode: BatchNorm) -> None:
    for layer in _batch_norms(module):
        layer.train(mode != "frozen")
        if mode == "adapt-statistics":
            for parameter in layer.parameters(recurse=False):
                parameter.requires_grad_(False)


def _batch_norms(module: nn.Module) -> Iterator[_BatchNorm]:
    return (layer for layer in module.modules() if isinstance(layer, _BatchNorm))


class FrozenSeal:
    """The hash of the frozen bytes before a phase, to be compared after it."""

    def __init__(self, backbone: Backbone, phase: Train) -> None:
        self._backbone = backbone
        self._frozen = len(phase.rates) if phase.adapter else phase.frozen
        self._before = self._hash()

    def check(self) -> None:
        """Raise FrozenDriftError if a frozen byte has changed."""
        if self._hash() != self._before:
            names = ", ".join(stage.name for stage in self._backbone.outline.stages[: self._frozen])
            raise FrozenDriftError(f"a frozen stage has changed ({names}): please report this as a bug")

    def _hash(self) -> str:
        return prefix_hash(self._backbone, self._frozen, without=MARK)
