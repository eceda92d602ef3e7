"""What every backbone offers; nothing inherits from it."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Protocol

from torch import Tensor, nn

from regraft.backbones.ownership import is_owned
from regraft.core import Outline, Passport, Sample

# What flows between stages. A vision trunk passes (x,). A text trunk starts from
# (input_ids, attention_mask, token_type_ids) and passes (hidden, attention_mask) from then on.
State = tuple[Tensor, ...]

Kind = Literal["image", "text"]


class Preprocess(Protocol):
    """From a sample's bytes or text to the unbatched tensor that a trunk reads.

    It is picklable, holds no weights, and its fingerprint changes with everything that changes its output.
    """

    @property
    def fingerprint(self) -> str:
        """Changes with everything that changes the output."""
        ...

    def __call__(self, sample: Sample) -> Tensor:
        """The one deterministic view: uint8 (3, H, W) for a picture, int64 (2, T) ids and types for text."""
        ...

    def augmented(self, sample: Sample, seed: int) -> Tensor:
        """A random view in the same form, a function of (sample, seed) alone. Text has no augmentation."""
        ...


class Backbone(Protocol):
    """A pretrained trunk, its original head removed, seen as an ordered list of stages."""

    @property
    def kind(self) -> Kind:
        """What it reads."""
        ...

    @property
    def outline(self) -> Outline:
        """Its stages."""
        ...

    @property
    def module(self) -> nn.Module:
        """The network without its head; loaded in evaluation mode."""
        ...

    @property
    def settings(self) -> str:
        """Changes with everything but its weights that changes what it computes: heads, activations, pooling."""
        ...

    @property
    def passport(self) -> Passport:
        """Where its weights came from."""
        ...

    @property
    def preprocess(self) -> Preprocess:
        """From samples to its input."""
        ...

    @property
    def rebuild(self) -> "Callable[[], Backbone]":
        """Makes the same architecture with random weights, from torch's current random state."""
        ...

    @property
    def write(self) -> Callable[[Path], None]:
        """Writes configuration and weights to an existing folder that `load_backbone` reads."""
        ...

    def collate(self, inputs: Sequence[Tensor]) -> State:
        """Preprocessed samples as one batch, on the CPU: the state that enters stage 0.

        Pictures come out as float32 (B, 3, H, W), normalised; texts as int64 ids, mask and types,
        each (B, T), padded to the longest of the batch.
        """
        ...

    def run(self, state: State, start: int, stop: int) -> State:
        """The state that leaves stage `stop - 1`, given the one that enters stage `start`.

        `run(run(x, 0, k), k, S)` equals `run(x, 0, S)` bit for bit.
        """
        ...

    def pool(self, state: State, stage: int) -> Tensor:
        """Pooled features (B, D_stage) float of a state that left `stage`.

        For the last stage this is what the original head read; for an earlier one the mean over
        positions (pictures) or real tokens (texts).
        """
        ...


def settings_hash(settings: Mapping[str, Any]) -> str:
    """sha256 of an architecture's settings, hexadecimal; the order of keys does not matter."""
    return hashlib.sha256(json.dumps(settings, sort_keys=True, default=str).encode()).hexdigest()


def features(backbone: Backbone, state: State) -> list[Tensor]:
    """One (B, D_i) tensor of pooled features per stage, in one pass."""
    pooled = []
    for stage in range(len(backbone.outline)):
        state = backbone.run(state, stage, stage + 1)
        pooled.append(backbone.pool(state, stage))
    return pooled


def pooled_last(backbone: Backbone, state: State) -> Tensor:
    """Pooled features (B, D) float32 of a state behind the last stage, whatever precision it was computed in.

    Outside of autocast: some trunks have layers there, whose weights are float32.
    """
    exact = tuple(one.float() if one.is_floating_point() else one for one in state)
    return backbone.pool(exact, len(backbone.outline) - 1)


def beside(backbone: Backbone, state: State) -> State:
    """The state on the device where the trunk's weights are."""
    device = next(backbone.module.parameters()).device
    return tuple(one.to(device) for one in state)


def stage_parameters(backbone: Backbone, stage: int) -> dict[str, nn.Parameter]:
    """The parameters of one stage under their full names in `backbone.module`."""
    modules = backbone.outline.stages[stage].modules
    return {name: parameter for name, parameter in backbone.module.named_parameters() if is_owned(name, modules)}


def stage_modules(backbone: Backbone, stage: int) -> list[nn.Module]:
    """The top-level submodules that make up one stage (loose parameters are not modules)."""
    modules = dict(backbone.module.named_modules())
    return [modules[name] for name in backbone.outline.stages[stage].modules if name in modules]
