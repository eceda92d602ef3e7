"""What can be said of forgetting without source data."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from regraft.activations.extract import pooled_features
from regraft.backbones.contract import Backbone
from regraft.backbones.source_heads import SourceHead
from regraft.core import Sample


@dataclass(frozen=True)
class Proxy:
    """What changed on inputs that need no labels: the target's own.

    Attributes:
        agreement: Share of inputs on which the original head says the same before and after; None without that head.
        feature_drift: 1 - mean cosine of pooled features before and after.
    """

    agreement: float | None
    feature_drift: float


def source_proxy(
    before: Backbone, after: Backbone, head: SourceHead | None, samples: Sequence[Sample], *, device: str = "cpu"
) -> Proxy:
    """Agreement of the original classifier and drift of features on some inputs."""
    pooled = []
    for backbone in (before, after):
        last = len(backbone.outline) - 1
        (features,), _ = pooled_features(backbone, samples, None, stages=[last], device=device, precision="fp32")
        pooled.append(torch.from_numpy(features))
    agreement = None
    if head is not None:
        with torch.inference_mode():
            first, second = (head.module(features).argmax(dim=1) for features in pooled)
        agreement = float((first == second).float().mean())
    return Proxy(agreement, float(1 - torch.cosine_similarity(pooled[0], pooled[1], dim=1).mean()))
