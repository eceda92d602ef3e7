"""What a teacher says of each picture: its frozen trunk runs once, through the activation store."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from regraft.activations.extract import pooled_features
from regraft.activations.store import ActivationStore
from regraft.backbones.contract import Backbone
from regraft.backbones.source_heads import source_head
from regraft.backbones.vision import VisionBackbone
from regraft.core import ImageSample
from regraft.pretraining.pictures import Progress


@dataclass(frozen=True)
class Teaching:
    """A teacher's pooled features of every training picture, and the classifier that reads them.

    The plain view is what it saw, so that the student's crops must stay mild.
    """

    name: str
    features: Tensor  # float32 (N, D)
    classifier: nn.Module

    @property
    def classes(self) -> int:
        """How many outputs the teacher has."""
        return int(self.classifier.weight.shape[0])  # type: ignore[index]

    def outputs(self, positions: list[int]) -> Tensor:
        """The teacher's logits, float32 (B, K)."""
        with torch.inference_mode():
            logits: Tensor = self.classifier(self.features[positions])
        return logits.clone()


def taught(
    teacher: Backbone,
    samples: Sequence[ImageSample],
    store: ActivationStore,
    *,
    side: int = 0,
    offline: bool,
    device: str,
    progress: Progress | None = None,
) -> Teaching:
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
    return Teaching(teacher.passport.name, torch.from_numpy(features[0]), classifier)
