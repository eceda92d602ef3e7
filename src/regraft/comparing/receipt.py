"""The transfer receipt: what the pretrained weights were worth, against the same network from a random start."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from regraft.comparing.curves import LearningCurve
from regraft.comparing.ranking import best_on_validation, cost
from regraft.comparing.statistics import paired_difference
from regraft.comparing.trials import Trial
from regraft.core.words import joules_said, points, seconds_said

SCRATCH = "from-scratch"


@dataclass(frozen=True)
class TransferGain:
    """The best transferred strategy against from scratch, at the largest number of labels.

    Both sides run at their defaults with the same settings and early stopping on the same validation part, so that
    neither was tuned more than the other.

    Attributes:
        strategy: The transferred strategy that is compared: the best on the validation part.
        accuracy: Mean difference of the task's metric.
        low: Of its paired 95 % bootstrap interval.
        high: Of the same.
        compute_saved: Share of the seconds from scratch that were not needed; negative if more were.
        labels_saved: How many fewer labels reach what scratch reaches with all; None unless several sizes ran.
        scratch_needs: Labels that scratch is expected to need for the same result; infinite if its curve never gets
            there, None without a curve.
        joules: Of the transferred strategy, and from scratch.
        estimated: Whether these are seconds times a stated power, and not measured.
    """

    strategy: str
    accuracy: float
    low: float
    high: float
    compute_saved: float
    labels_saved: int | None
    scratch_needs: float | None = None
    joules: tuple[float, float] = (0.0, 0.0)
    estimated: bool = True


def transfer_gain(groups: Mapping[str, Sequence[Trial]], curves: Sequence[LearningCurve]) -> TransferGain | None:
    """The receipt; None where nothing was trained from scratch, or nothing else.

    Args:
        groups: Trials of each strategy at the largest number of labels.
        curves: Of each strategy, over all sizes.
    """
    others = {name: group for name, group in groups.items() if name != SCRATCH}
    if SCRATCH not in groups or not others:
        return None
    best, scratch = best_on_validation(others), groups[SCRATCH]
    found = paired_difference(others[best], scratch)
    by_name = {curve.strategy: curve for curve in curves}
    measured = all(trial.joules is not None for trial in (*others[best], *scratch))
    return TransferGain(
        strategy=best,
        accuracy=found.mean,
        low=found.low,
        high=found.high,
        compute_saved=1 - cost(others[best]) / max(cost(scratch), 1e-9),
        labels_saved=_labels_saved(by_name[best], by_name[SCRATCH]),
        scratch_needs=_labels_needed(by_name[SCRATCH], float(by_name[best].means[-1])),
        joules=(_joules(others[best]), _joules(scratch)),
        estimated=not measured,
    )


def _labels_saved(transferred: LearningCurve, scratch: LearningCurve) -> int | None:
    """Labels of the largest size less those of the smallest at which transfer is as good as scratch with all."""
    if len(scratch.labels) < 2:
        return None
    enough = transferred.labels[transferred.means >= scratch.means[-1]]
    return int(scratch.labels[-1] - enough.min()) if len(enough) else None


def _labels_needed(scratch: LearningCurve, metric: float) -> float | None:
    """Where the fitted curve of scratch reaches a metric."""
    if scratch.law is None:
        return None
    return float(scratch.law.labels_for(np.array([1 - metric]))[0])


def _joules(group: Sequence[Trial]) -> float:
    found = [trial.training_seconds * trial.watts if trial.joules is None else trial.joules for trial in group]
    return sum(found) / len(found)


def gain_sentence(gain: TransferGain | None) -> str:
    """What transfer gained, in one sentence; negative transfer is said loudly."""
    if gain is None:
        return "Nothing was trained from scratch, so that the gain of transfer is not known."
    told = (
        f"{gain.strategy} against from scratch: {points(gain.accuracy, signed=True)} points "
        f"(95 % interval {points(gain.low, signed=True)} to {points(gain.high, signed=True)})"
    )
    if gain.high < 0:
        return f"NEGATIVE TRANSFER: {told}. Training from scratch is better here."
    if gain.low <= 0:
        return f"{told}: no difference that these test samples can show."
    return f"{told}, {_time_said(gain)}."


def _time_said(gain: TransferGain) -> str:
    """What became of the training time; more of it is told as a multiple."""
    if gain.compute_saved >= 0:
        return f"with {100 * gain.compute_saved:.0f} % of the training time saved"
    return f"in {1 - gain.compute_saved:.1f} times the training time"


def receipt_lines(gain: TransferGain | None, groups: Mapping[str, Sequence[Trial]]) -> list[str]:
    """The receipt, line by line."""
    lines = [gain_sentence(gain)]
    if gain is None:
        return lines
    spent, scratch = cost(groups[gain.strategy]), cost(groups[SCRATCH])
    lines.append(f"Training took {seconds_said(spent)} instead of {seconds_said(scratch)} from scratch.")
    said = "estimated from time and a rated power" if gain.estimated else "measured by the processor"
    lines.append(f"Energy: {joules_said(gain.joules[0])} instead of {joules_said(gain.joules[1])} ({said}).")
    most = max(trial.labels for trial in groups[SCRATCH])
    if gain.labels_saved is not None:
        lines.append(
            f"Labels, validation included: {gain.strategy} with {most - gain.labels_saved} is at least as good as from scratch with all {most}."
        )
    if gain.scratch_needs is not None:
        needs = gain.scratch_needs
        if math.isinf(needs) or needs > 2 * most:
            lines.append(
                f"From scratch, more than {2 * most} labels would be needed for the same result (extrapolated from its "
                "learning curve)."
            )
        else:
            lines.append(
                f"From scratch, about {needs:.0f} labels would be needed for the same result (by its fitted learning curve)."
            )
    lines.append(
        "Neither side was tuned for this data: each ran once a seed at its defaults, or at the settings given for all, "
        "and the same validation part chose its epoch or its strength."
    )
    return lines
