"""The learning curve of the probe: its accuracy, or correlation, at growing numbers of samples."""

from collections.abc import Iterator

import numpy as np

from regraft.core import Evidence, Measurement
from regraft.evaluating.power_law import fit_power_law
from regraft.measuring.probes import Z80, probe, standardised
from regraft.measuring.subject import Subject
from regraft.running.cross_validation import Ints

FEWEST_PER_CLASS = 1
FEWEST_QUANTITIES = 8  # of a correlation that is more than chance
STEPS = (1 / 8, 1 / 4, 1 / 2, 1.0)  # of what a fold leaves to learn from
DRAWS = 400
FEWEST_SIZES = 3  # as many as the power law has parameters


def curve(subject: Subject) -> Iterator[Measurement]:
    """`curve/N` for each size: the held-out result of the last stage's probe that has learnt from N samples."""
    if not subject.classes:
        yield from _of_quantities(subject)
        return
    targets = subject.labels
    features = standardised(subject.stages[-1])
    most = int(np.mean([len(learnt) for learnt, _ in subject.folds]))
    for share in STEPS:
        size = round(share * most)
        if size < FEWEST_PER_CLASS * subject.classes and share < 1:
            continue
        found = subject.last_probe
        if share < 1:
            smaller = [(_some(learnt, targets, share, subject.rng), held) for learnt, held in subject.folds]
            found = probe(features, targets, subject.classes, smaller)
        yield Measurement(
            f"curve/{size}",
            found.value,
            found.low,
            found.high,
            source=f"cross-validated accuracy of the last stage's probe with {size} training samples",
        )


def _of_quantities(subject: Subject) -> Iterator[Measurement]:
    """The same where leaving one group out is exact: of so many samples each is foretold by the others' groups."""
    order = subject.rng.permutation(len(subject.samples))
    for share in STEPS:
        size = round(share * len(order))
        if size < FEWEST_QUANTITIES and share < 1:
            continue
        rows, found = order[:size], subject.last_probe
        groups = subject.groups[rows]
        there = len(np.unique(groups))
        if there < 2:
            continue
        if share < 1:
            found = probe(standardised(subject.stages[-1][rows]), subject.targets[rows], 0, [], groups=groups)
        learnt = size - round(size / there)  # all but a group
        yield Measurement(
            f"curve/{learnt}",
            found.value,
            found.low,
            found.high,
            source=f"{subject.left_out} correlation of the last stage's probe with {learnt} training samples",
        )


def _some(learnt: Ints, targets: Ints, share: float, rng: np.random.Generator) -> Ints:
    """A share of the rows, each class in its share and none left out."""
    kept = []
    for label in np.unique(targets[learnt]):
        rows = rng.permutation(learnt[targets[learnt] == label])
        kept.append(rows[: max(1, round(share * len(rows)))])
    return np.concatenate(kept)


def expected_at(evidence: Evidence, samples: int) -> tuple[float, float, float] | None:
    """What the probe would reach with that many samples, with its 80 % interval; None with fewer than three sizes.

    A power law is fitted to `curve/N` and to draws of it within its intervals. It holds over the range measured and
    a little beyond.
    """
    points = sorted((int(name), one) for name, one in evidence.under("curve").items())
    if len(points) < FEWEST_SIZES:
        return None
    sizes = np.array([size for size, _ in points], dtype=float)
    errors = np.array([1 - one.value for _, one in points])
    spread = np.array([(one.high - one.low) / (2 * Z80) for _, one in points])
    draws = errors + np.random.default_rng(0).normal(size=(DRAWS, len(points))) * spread
    low, high = np.percentile(1 - fit_power_law(sizes, draws.clip(0, 1), spread)(samples), [10, 90])
    return float(1 - fit_power_law(sizes, errors[None], spread)(samples)[0]), float(low), float(high)
