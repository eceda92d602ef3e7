"""The backbone stage by stage: probes, what more stages add, and how alike stages are."""

from collections.abc import Iterator, Sequence

import numpy as np
from scipy.stats import norm

from regraft.core import Measurement
from regraft.measuring.cka import cka_matrix
from regraft.measuring.jackknife import Jackknife, with_interval
from regraft.measuring.probes import Probed, held_out, paired_half, probe, share_interval, standardised
from regraft.measuring.subject import Subject
from regraft.running.pool import pool_weights, pooled, resting_weights
from regraft.scores import ScoreInputs
from regraft.scores.logme import LOGME

FEWEST_FOR_CKA = 5


def last_stage(subject: Subject) -> Iterator[Measurement]:
    """The probe of what the original head read, and how much better it knows the samples it learnt from."""
    found, name = subject.last_probe, subject.names[-1]
    yield _held(subject, name, found)
    yield _learnt(name, found)
    yield Measurement(
        "headroom/train-held",
        found.train - found.value,
        found.train - found.high,
        found.train - found.low,
        source="training less held-out result of the last stage's probe: near 0 and low, features fall short",
    )


def other_stages(subject: Subject) -> Iterator[Measurement]:
    """Probes of the earlier stages, the later ones first, then what the best of them has over the last."""
    for number in reversed(range(len(subject.stages) - 1)):
        name, found = subject.names[number], subject.stage_probe(number)
        yield _held(subject, name, found)
        yield _learnt(name, found)
    yield headroom(subject.names, [subject.stage_probe(number) for number in range(len(subject.stages))])


def headroom(names: Sequence[str], probes: Sequence[Probed]) -> Measurement:
    """`headroom/stage`: what the best stage has over the last; 0 where that is the last itself, and surely so from 0 to 0.

    The best of many is ahead by chance more often than any one of them. So the interval is that of as many comparisons
    as there are earlier stages (Bonferroni; Dunn 1961, "Multiple comparisons among means"): its lower end is above 0
    in at most one task of ten where no stage is truly ahead.

    Args:
        names: Of the stages, input side first.
        probes: Of the same samples in the same folds.
    """
    last, last_name = probes[-1], names[-1]
    if len(probes) == 1:
        return Measurement("headroom/stage", 0.0, source="there is no other stage")
    best, name = max(zip(probes[:-1], names[:-1], strict=True), key=lambda one: one[0].value)
    gain = best.value - last.value
    half = paired_half(best, last, float(norm.ppf(1 - 0.1 / (len(probes) - 1))))
    source = f"the best stage, {name if gain > 0 else last_name}, less the last stage"
    if gain > 0:
        return Measurement("headroom/stage", gain, gain - half, gain + half, source=source)
    return Measurement("headroom/stage", 0.0, 0.0, max(gain + half, 0.0), source=source)


def every_stage(subject: Subject) -> Iterator[Measurement]:
    """The last stage, then the others."""
    yield from last_stage(subject)
    yield from other_stages(subject)


def all_stages(subject: Subject) -> Iterator[Measurement]:
    """All stages read at once: the pool of their probes; of quantities one probe of all features side by side."""
    if subject.classes:
        yield _held(subject, "all", _pool(subject))
        return
    widths = [part.shape[1] for part in subject.stages]
    parts = [standardised(part) / np.float32(np.sqrt(part.shape[1] / np.mean(widths))) for part in subject.stages]
    found = probe(np.concatenate(parts, axis=1), subject.targets, 0, [], groups=subject.groups)
    yield _held(subject, "all", found)
    yield _learnt("all", found)


def _pool(subject: Subject) -> Probed:
    """What the stages' probes say together of held-out samples; the weights are learnt from the other folds."""
    held = [subject.stage_probe(number).held for number in range(len(subject.stages))]
    labels, seen = subject.labels, held_out(subject.folds)
    together = np.full_like(held[-1], 1 / subject.classes)
    for _, rows in subject.folds:
        others = np.setdiff1d(seen, rows)
        weights = (
            pool_weights([one[others] for one in held], labels[others]) if len(others) else resting_weights(len(held))
        )
        together[rows] = pooled([one[rows] for one in held], weights)
    hits = (together[seen].argmax(axis=1) == labels[seen]).astype(np.float64)
    value = float(hits.mean())
    return Probed(value, *share_interval(value, len(seen)), float("nan"), hits, together, float("nan"))


def transferability(subject: Subject) -> Iterator[Measurement]:
    """LogME of every stage."""
    for name, features in zip(subject.names, subject.stages, strict=True):
        inputs = ScoreInputs(standardised(features), subject.targets, subject.classes, groups=subject.groups)
        value = LOGME.compute(inputs)
        low, high, said = with_interval(Jackknife.of(subject, inputs), LOGME, value)
        source = f"LogME of the stage: log evidence per sample; {said}"
        yield Measurement(f"transferability/{name}", value, low, high, source=source)


def stage_similarity(subject: Subject) -> Iterator[Measurement]:
    """Linear CKA of every stage to the last."""
    if len(subject.samples) < FEWEST_FOR_CKA:
        return
    for name, value in zip(subject.names, cka_matrix(subject.stages)[-1], strict=True):
        yield Measurement(f"cka/{name}", float(value), source="debiased linear CKA with the last stage")


def _held(subject: Subject, name: str, found: Probed) -> Measurement:
    how = (
        "cross-validated accuracy of a logistic probe"
        if subject.classes
        else f"{subject.left_out} correlation of a ridge probe"
    )
    place = "all stages" if name == "all" else name
    return Measurement(f"probe/{name}", found.value, found.low, found.high, source=f"{how} of {place}")


def _learnt(name: str, found: Probed) -> Measurement:
    return Measurement(f"probe-train/{name}", found.train, source="the same on the samples learnt from")
