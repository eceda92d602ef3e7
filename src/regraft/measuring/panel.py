"""The panel of transferability scores, with the original head's answers where there is one."""

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from regraft.core import Measurement
from regraft.measuring.jackknife import NONE, Jackknife, with_interval
from regraft.measuring.probes import correlation_interval, share_interval
from regraft.measuring.subject import Subject
from regraft.scores import SCORES, Score
from regraft.scores.knn import MOST_SAMPLES

DEAR = "n-leep"  # its clusters take as long to find as everything else together


def panel(subject: Subject) -> Iterator[Measurement]:
    """`score/NAME` of every score that the task has the inputs for, with an 80 % interval or why there is none."""
    inputs = replace(subject.last, source=subject.original)
    jackknife = Jackknife.of(subject, inputs)
    for score in SCORES:
        if not score.fits(inputs):
            continue
        value = score.compute(inputs)
        low, high, said = _interval(score, value, jackknife)
        better = "higher" if score.higher_is_better else "lower"
        yield Measurement(
            f"score/{score.name}", value, low, high, source=f"{score.meaning}; {better} is better; {said}"
        )


def _interval(score: Score, value: float, jackknife: Jackknife) -> tuple[float, float, str]:
    """Of a share or a correlation by its formula, of the others by the jackknife."""
    inputs = jackknife.inputs
    samples = len(inputs.features)
    if math.isnan(value):
        return *NONE, "no interval: these samples do not tell it"
    if score.name == "knn":
        looked_at = -(-samples // -(-samples // MOST_SAMPLES))
        return *share_interval(value, looked_at), f"80 % interval of a share of {looked_at} samples"
    if score.name == "ridge" and inputs.classes:
        return *share_interval(value, samples), f"80 % interval of a share of {samples} samples"
    if score.name == "ridge":
        apart = samples if inputs.groups is None else len(np.unique(inputs.groups))
        return *correlation_interval(value, apart), f"80 % interval of a correlation over {apart} samples"
    if score.name == DEAR:
        return *NONE, "no interval: its clusters would have to be found ten times over"
    return with_interval(jackknife, score, value)
