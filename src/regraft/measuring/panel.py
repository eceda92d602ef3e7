"""The panel of transferability scores, with the original head's answers where there is one."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import torch

from regraft.backbones.contract import Backbone
from regraft.backbones.source_heads import source_head
from regraft.core import BackboneError, Measurement
from regraft.measuring.probes import Doubles, share_interval
from regraft.measuring.subject import Subject
from regraft.scores import SCORES, ScoreInputs
from regraft.scores.knn import MOST_SAMPLES

SHARES = ("knn", "ridge")  # scores that are a share of samples


def panel(subject: Subject, source: Doubles | None) -> Iterator[Measurement]:
    """`score/NAME` of every score that the task has the inputs for."""
    inputs = replace(subject.last, source=source)
    for score in SCORES:
        if not score.fits(inputs):
            continue
        value = score.compute(inputs)
        ends = (float("nan"), float("nan"))
        if score.name in SHARES and inputs.classes:
            ends = share_interval(value, min(len(subject.samples), MOST_SAMPLES))
        better = "higher" if score.higher_is_better else "lower"
        yield Measurement(f"score/{score.name}", value, *ends, source=f"{score.meaning}; {better} is better")


def source_probabilities(backbone: Backbone, inputs: ScoreInputs, *, offline: bool) -> Doubles | None:
    """(N, K) what the original head says of the last stage's features; None where the backbone has none."""
    if inputs.features.shape[1] != backbone.outline.stages[-1].width:
        return None  # features of pairs
    try:
        head = source_head(backbone.passport, offline=offline)
    except BackboneError:
        return None
    with torch.inference_mode():
        logits = head.module(torch.from_numpy(inputs.features)).double()
    found: Doubles = np.asarray(logits.softmax(dim=1).numpy())
    return found
