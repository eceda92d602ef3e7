"""A vision trunk: a module and the steps that its stages are."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn

from regraft.backbones.contract import State
from regraft.backbones.image_preprocessing import ImagePreprocess
from regraft.backbones.ownership import has_dense, stage_sizes
from regraft.core import Outline, Passport, Stage

Step = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class VisionStage:
    """One stage of a vision trunk: its name, what it owns, and what it computes."""

    name: str
    modules: tuple[str, ...]
    step: Step


@dataclass(frozen=True)
class VisionStages:
    """The stages of one network, and how its features are pooled.

    Attributes:
        stages: Input side first.
        pool_last: (B, ...) to (B, D), what the original head read.
        prefix_tokens: Class and register tokens before the patches, where states are tokens (B, T, D).
        channels_last: States are (B, H, W, D), as Swin's are.
    """

    stages: tuple[VisionStage, ...]
    pool_last: Step
    prefix_tokens: int = 0
    channels_last: bool = False


@dataclass(frozen=True)
class VisionBackbone:
    """A vision trunk as the `Backbone` protocol describes it."""

    outline: Outline
    module: nn.Module = field(repr=False)
    passport: Passport
    preprocess: ImagePreprocess
    layout: VisionStages = field(repr=False)
    rebuild: Callable[[], "VisionBackbone"] = field(repr=False)
    write: Callable[[Path], None] = field(repr=False)
    settings: str = field(repr=False)
    kind: Literal["image"] = "image"

    def _repr_html_(self) -> str:
        return self.outline._repr_html_() + self.passport._repr_html_()

    def collate(self, inputs: Sequence[Tensor]) -> State:
        """Pictures as one normalised batch."""
        return (self.preprocess.normalise(torch.stack(list(inputs))),)

    def run(self, state: State, start: int, stop: int) -> State:
        """Stages `start` to `stop - 1`."""
        (values,) = state
        for stage in self.layout.stages[start:stop]:
            values = stage.step(values)
        return (values,)

    def pool(self, state: State, stage: int) -> Tensor:
        """The last stage as the original head pooled it, earlier ones by the mean over positions."""
        (values,) = state
        if stage == len(self.outline) - 1:
            return self.layout.pool_last(values)
        return mean_over_positions(values, self.layout)


def mean_over_positions(values: Tensor, layout: VisionStages) -> Tensor:
    """(B, D, H, W), (B, H, W, D) or (B, T, D) as (B, D)."""
    if values.ndim == 3:
        return values[:, layout.prefix_tokens :].mean(dim=1)
    return values.mean(dim=(1, 2) if layout.channels_last else (2, 3))


def vision_outline(name: str, family: str, module: nn.Module, layout: VisionStages, size: tuple[int, int]) -> Outline:
    """The outline, with each stage's width found by running one empty picture.

    Raises:
        BackboneError: A parameter lies in no stage, or in several.
    """
    sizes = stage_sizes(name, module, [stage.modules for stage in layout.stages])
    was_training = module.training
    module.eval()
    stages = []
    with torch.no_grad():
        values = torch.zeros(1, 3, *size)
        for number, stage in enumerate(layout.stages):
            values = stage.step(values)
            last = number == len(layout.stages) - 1
            pooled = layout.pool_last(values) if last else mean_over_positions(values, layout)
            dense = has_dense(module, stage.modules)
            stages.append(Stage(stage.name, stage.modules, sizes[number], pooled.shape[1], dense))
    module.train(was_training)
    return Outline(name, family, tuple(stages))
