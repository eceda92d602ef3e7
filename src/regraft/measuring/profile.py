"""What a task is: how much of it there is, how even, how clean."""

from collections.abc import Iterator

import numpy as np

from regraft.core import Measurement
from regraft.measuring.probes import share_interval
from regraft.measuring.subject import Subject, twin_groups
from regraft.running.cross_validation import Doubles, Ints


def profile(subject: Subject) -> Iterator[Measurement]:
    """Counts of the training part, without a look at features."""
    task = subject.task
    yield Measurement("profile/samples", len(task.train), source="training samples")
    yield Measurement("profile/measured", len(subject.samples), source="training samples that the measurements rest on")
    yield Measurement("profile/classes", len(task.classes), source="classes")
    groups = twin_groups(task)
    twins = 1 - len(set(groups)) / max(len(groups), 1)
    yield Measurement("profile/duplicates", twins, source="share of training samples that nearly repeat another")
    if task.kind in {"image-classification", "text-classification"}:
        counts = np.bincount(np.array(task.train.targets), minlength=len(task.classes))
        yield Measurement("profile/smallest-class", int(counts.min()), source="training samples of the rarest class")
        yield Measurement(
            "profile/imbalance", float(counts.max() / max(counts.min(), 1)), source="largest class over smallest"
        )


def label_noise(held: Doubles, targets: Ints) -> Measurement:
    """Share of labels that a cross-validated probe surely contradicts (Northcutt 2021, "Confident Learning", eq. 1).

    A label is doubted where the probe gives another class at least the probability that it gives that class's own
    samples on average. Hard samples are doubted too, so that this is an upper guess.

    Args:
        held: (N, C) held-out class probabilities.
        targets: (N,).
    """
    classes = held.shape[1]
    own = held[np.arange(len(targets)), targets]
    usual = np.array([own[targets == label].mean() if (targets == label).any() else 1.0 for label in range(classes)])
    sure = np.where(held >= usual, held, 0.0)
    doubted = float(((sure.max(axis=1) > 0) & (sure.argmax(axis=1) != targets)).mean())
    return Measurement(
        "profile/label-noise",
        doubted,
        *share_interval(doubted, len(targets)),
        source="share of labels that a cross-validated probe surely contradicts; hard samples are among them",
    )
