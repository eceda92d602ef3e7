"""The panel of transferability scores, with the original head's answers where there is one."""

from collections.abc import Iterator
from dataclasses import replace

from regraft.core import Measurement
from regraft.measuring.probes import share_interval
from regraft.measuring.subject import Subject
from regraft.scores import SCORES
from regraft.scores.knn import MOST_SAMPLES

SHARES = ("knn", "ridge")  # scores that are a share of samples


def panel(subject: Subject) -> Iterator[Measurement]:
    """`score/NAME` of every score that the task has the inputs for."""
    inputs = replace(subject.last, source=subject.original)
    for score in SCORES:
        if not score.fits(inputs):
            continue
        value = score.compute(inputs)
        ends = (float("nan"), float("nan"))
        if score.name in SHARES and inputs.classes:
            ends = share_interval(value, min(len(subject.samples), MOST_SAMPLES))
        better = "higher" if score.higher_is_better else "lower"
        yield Measurement(f"score/{score.name}", value, *ends, source=f"{score.meaning}; {better} is better")
