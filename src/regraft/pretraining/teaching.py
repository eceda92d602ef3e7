"""What a teacher says of pictures: of each whole one once, through the activation store, or of every view anew."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from regraft.activations.extract import pooled_features
from regraft.activations.store import ActivationStore
from regraft.backbones.contract import Backbone
from regraft.backbones.source_heads import source_head
from regraft.backbones.vision import VisionBackbone
from regraft.core import BackboneError, ImageSample
from regraft.pretraining.pictures import Progress


class Teaching(Protocol):
    """A teacher's opinion of the pictures of a batch."""

    @property
    def classes(self) -> int:
        """How many outputs the teacher has."""
        ...

    def outputs(self, positions: list[int], views: Tensor) -> Tensor:
        """The teacher's logits, float32 (B, K).

        Args:
            positions: Which training pictures.
            views: What the network sees of them, float32 (B, 3, side, side), 0-255.
        """
        ...


@dataclass(frozen=True)
class AskedOnce:
    """A teacher's pooled features of every training picture, and the classifier that reads them.

    The plain view is what it saw, so that the network's crops must stay mild.
    """

    name: str
    features: Tensor  # float32 (N, D)
    classifier: nn.Module

    @property
    def classes(self) -> int:
        """How many outputs the teacher has."""
        return outputs_of(self.classifier)

    def outputs(self, positions: list[int], views: Tensor) -> Tensor:
        """What it said of the whole pictures."""
        with torch.inference_mode():
            logits: Tensor = self.classifier(self.features[positions].to(views.device))
        return logits.clone()


@dataclass(frozen=True)
class AskedAlways:
    """A teacher that looks at the very views that the network sees: strong crops do no harm, each step costs a pass.

    Beyer 2022, "Knowledge distillation: A good teacher is patient and consistent", section 3.2.
    """

    name: str
    backbone: VisionBackbone
    classifier: nn.Module
    device: str
    low_precision: bool

    @property
    def classes(self) -> int:
        """How many outputs the teacher has."""
        return outputs_of(self.classifier)

    def outputs(self, positions: list[int], views: Tensor) -> Tensor:
        """What it says of the views, resized to what it reads."""
        trunk, kind = self.backbone, self.device.split(":", maxsplit=1)[0]
        with torch.inference_mode(), torch.autocast(kind, torch.bfloat16, enabled=self.low_precision):
            seen = F.interpolate(views, size=trunk.preprocess.size, mode="bilinear", align_corners=False)
            state = trunk.run((trunk.preprocess.normalise(seen),), 0, len(trunk.outline))
            logits: Tensor = self.classifier(trunk.pool(state, len(trunk.outline) - 1))
        return logits.float().clone()


def outputs_of(classifier: nn.Module) -> int:
    """How many outputs a dense layer has."""
    return int(classifier.weight.shape[0])  # type: ignore[index]


def always_asked(teacher: Backbone, *, side: int, offline: bool, device: str, low_precision: bool) -> AskedAlways:
    """A teacher beside the network, on its device.

    Args:
        teacher: A vision network of timm's with its classifier.
        side: The views are shown to it at this side, in pixels; 0 = as it was trained.
        offline: Open no connection.
        device: `cpu` or an accelerator.
        low_precision: Whether it computes in bf16.

    Raises:
        BackboneError: It has no classifier, or reads something else.
    """
    if not isinstance(teacher, VisionBackbone):
        raise BackboneError(f"{teacher.passport.name}: it does not read pictures, so that it can teach nothing here")
    classifier = source_head(teacher.passport, offline=offline).module.to(device)
    size = (side, side) if side else teacher.preprocess.size
    teacher.module.to(device, memory_format=torch.channels_last).eval()  # type: ignore[call-overload]
    teacher = replace(teacher, preprocess=replace(teacher.preprocess, size=size, crop_share=1.0))
    return AskedAlways(teacher.passport.name, teacher, classifier, device, low_precision)


def taught(
    teacher: Backbone,
    samples: Sequence[ImageSample],
    store: ActivationStore,
    *,
    side: int = 0,
    offline: bool,
    device: str,
    progress: Progress | None = None,
) -> AskedOnce:
    """Ask the teacher about every sample; answers are kept on disk.

    Args:
        teacher: A network of timm's with its classifier.
        samples: N pictures.
        store: Where answers are kept.
        side: Show it whole pictures of this side, in pixels; 0 = as it was trained.
        offline: Open no connection.
        device: `cpu` or an accelerator.
        progress: Called with (what, done, total).

    Raises:
        BackboneError: It has no classifier, or reads something else.
    """
    classifier = source_head(teacher.passport, offline=offline).module

    def told(done: int, total: int) -> None:
        if progress is not None:
            progress("teacher", done, total)

    if side and isinstance(teacher, VisionBackbone):
        teacher = replace(teacher, preprocess=replace(teacher.preprocess, size=(side, side), crop_share=1.0))
    last = len(teacher.outline) - 1
    features, _ = pooled_features(teacher, list(samples), store, stages=[last], device=device, progress=told)
    return AskedOnce(teacher.passport.name, torch.from_numpy(features[0]).to(device), classifier.to(device))
