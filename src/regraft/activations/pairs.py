"""What a solved head reads: pooled features, and of pairs of texts how their two halves compare."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from regraft.activations.extract import Extraction, Progress, pooled_features
from regraft.activations.rows import Floats
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
    parts, extraction = stage_features(backbone, samples, store, reads=reads, stages=stages, **options)
    return np.concatenate(parts, axis=1), extraction


def stage_features(
    backbone: Backbone,
    samples: Sequence[Sample],
    store: ActivationStore | None,
    *,
    reads: str,
    stages: Sequence[int] | None = None,
    device: str = "cpu",
    precision: str = "auto",
    progress: Progress | None = None,
) -> tuple[list[Floats], Extraction]:
    """The same of each stage by itself, all of them from one pass: (N, D) each, for `reads="pairs"` (N, 3 D)."""
    options: dict[str, Any] = {"stages": stages, "device": device, "precision": precision, "progress": progress}
    if reads != "pairs":
        return pooled_features(backbone, samples, store, **options)
    halves = [half for sample in samples for half in _halves(sample)]
    parts, extraction = pooled_features(backbone, [*samples, *halves], store, **options)
    return [_beside(part, len(samples)) for part in parts], extraction


def _beside(features: Floats, pairs: int) -> Floats:
    """A pair's own features, and how those of its halves differ and agree."""
    together, first, second = features[:pairs], features[pairs::2], features[pairs + 1 :: 2]
    return np.concatenate([together, np.abs(first - second), first * second], axis=1)


def _halves(sample: Sample) -> tuple[Sample, Sample]:
    """The two texts of a pair; a single text is both."""
    if not isinstance(sample, TextSample):
        return sample, sample
    alone = replace(sample, text_pair=None)
    return alone, alone if sample.text_pair is None else replace(alone, text=sample.text_pair)
