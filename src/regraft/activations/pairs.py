"""What a solved head reads: pooled features, and of pairs of texts how their two halves compare."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from regraft.activations.extract import Extraction, Floats, Progress, pooled_features
from regraft.activations.store import ActivationStore
from regraft.backbones.contract import Backbone
from regraft.core import Sample, TextSample


def head_features(
    backbone: Backbone,
    samples: Sequence[Sample],
    store: ActivationStore | None,
    *,
    reads: str,
    taps: Sequence[int] = (),
    device: str = "cpu",
    precision: str = "auto",
    progress: Progress | None = None,
) -> tuple[Floats, Extraction]:
    """Features of the last stage, or of all `taps` side by side, (N, D); for `reads="pairs"` (N, 3 D).

    A frozen trunk that has never seen pairs says little of a pair read as one text. So that each half is read
    alone too, and |u - v| and u * v stand beside the pair's own features (Conneau 2017, InferSent, section 3.2).
    """
    options: dict[str, Any] = {"device": device, "precision": precision, "progress": progress}
    stages = list(taps) or [len(backbone.outline) - 1]
    if reads != "pairs":
        parts, extraction = pooled_features(backbone, samples, store, stages=stages, **options)
        return np.concatenate(parts, axis=1), extraction
    halves = [half for sample in samples for half in _halves(sample)]
    parts, extraction = pooled_features(backbone, [*samples, *halves], store, stages=stages, **options)
    features = np.concatenate(parts, axis=1)
    together, first, second = features[: len(samples)], features[len(samples) :: 2], features[len(samples) + 1 :: 2]
    return np.concatenate([together, np.abs(first - second), first * second], axis=1), extraction


def _halves(sample: Sample) -> tuple[Sample, Sample]:
    """The two texts of a pair; a single text is both."""
    if not isinstance(sample, TextSample):
        return sample, sample
    alone = replace(sample, text_pair=None)
    return alone, alone if sample.text_pair is None else replace(alone, text=sample.text_pair)
