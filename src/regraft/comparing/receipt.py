"""The transfer receipt: what the pretrained weights were worth, against the same network from a random start."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from regraft.comparing.curves import LearningCurve
from regraft.comparing.ranking import best_on_validation, chosen_by_validation, cost
from regraft.comparing.statistics import CONFIDENCE, Floats, paired_difference
from regraft.comparing.trials import Trial
from regraft.core import Solve, Train

SCRATCH = "from-scratch"
WHOLE = "full-fine-tuning"  # the same recipe as from scratch but for its start and its rates


@dataclass(frozen=True)
class Tries:
    """How many configurations each side of the receipt is the best of.

    Attributes:
        strategies: Transferred strategies that one was chosen from; each boundary of one counts.
        transferred: Their configurations: each strength of a solved head counts.
        scratch: Configurations from scratch.
        by_validation: The choice fell on the validation part; without one, on the cheapest.
    """

    strategies: int
    transferred: int
    scratch: int
    by_validation: bool


@dataclass(frozen=True)
class OneRecipe:
    """Full fine-tuning against from scratch: one recipe and one rate on each side, nothing chosen among strategies.

    Attributes:
        accuracy: Mean difference of the task's metric.
        low: Of its paired 95 % bootstrap interval.
        high: Of the same.
        compute_saved: As `TransferGain.compute_saved`.
        epochs: The most that full fine-tuning may train, and from scratch.
        equal_budget: Whether these are the same; within them, full fine-tuning may end early.
    """

    accuracy: float
    low: float
    high: float
    compute_saved: float
    epochs: tuple[int, int]
    equal_budget: bool


@dataclass(frozen=True)
class TransferGain:
    """The best transferred strategy against from scratch, at the largest number of labels.

    The two sides are not tuned alike: the transferred one is chosen among strategies, from scratch is one recipe at one
    rate. `tries` says how many there were; `one_recipe` is the comparison without that choice.

    Attributes:
        strategy: The transferred strategy that is compared: the best on the validation part.
        accuracy: Mean difference of the task's metric.
        low: Of its paired 95 % bootstrap interval.
        high: Of the same.
        compute_saved: Share of the seconds from scratch that were not needed; negative if more were.
        labels_saved: How many fewer labels reach what scratch reaches with all; None unless several sizes ran.
        labels_saved_low: Of its 95 % bootstrap interval; None where transfer may reach it at no size that ran.
        labels_saved_high: Of the same.
        scratch_needs: Labels that scratch is expected to need for the same result; infinite if its curve never gets
            there, None without a curve.
        compute_saved_low: As `compute_saved`, had each run from scratch been ended at its best epoch, which is known only
            afterwards: by default from scratch never ends early.
        joules: Of the transferred strategy, and from scratch.
        estimated: Whether these are seconds times a stated power, all of them or those of stored activations.
        tries: How many configurations each side is the best of.
        one_recipe: Full fine-tuning against from scratch; None where it did not run.
    """

    strategy: str
    accuracy: float
    low: float
    high: float
    compute_saved: float
    labels_saved: int | None
    labels_saved_low: int | None = None
    labels_saved_high: int | None = None
    scratch_needs: float | None = None
    compute_saved_low: float = 0.0
    joules: tuple[float, float] = (0.0, 0.0)
    estimated: bool = True
    tries: Tries = Tries(1, 1, 1, by_validation=True)
    one_recipe: OneRecipe | None = None


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
    measured = energy_measured(others[best], scratch)
    saved, low, high = _labels_saved(by_name[best], by_name[SCRATCH])
    return TransferGain(
        strategy=best,
        accuracy=found.mean,
        low=found.low,
        high=found.high,
        compute_saved=_saved(cost(others[best]), cost(scratch)),
        labels_saved=saved,
        labels_saved_low=low,
        labels_saved_high=high,
        scratch_needs=_labels_needed(by_name[SCRATCH], float(by_name[best].means[-1])),
        compute_saved_low=_saved(cost(others[best]), seconds_to_best(scratch)),
        joules=(_joules(others[best], measured=measured), _joules(scratch, measured=measured)),
        estimated=not measured or any(trial.stored_seconds for trial in (*others[best], *scratch)),
        tries=_tries(others, scratch),
        one_recipe=_one_recipe(groups),
    )


def _tries(others: Mapping[str, Sequence[Trial]], scratch: Sequence[Trial]) -> Tries:
    return Tries(
        strategies=len(others),
        transferred=sum(_configurations(group[0]) for group in others.values()),
        scratch=_configurations(scratch[0]),
        by_validation=chosen_by_validation(others),
    )


def _configurations(trial: Trial) -> int:
    """What one run of a strategy chooses among: the strengths of a solved head."""
    return max((len(phase.strengths) for phase in trial.plan.phases if isinstance(phase, Solve)), default=1)


def _one_recipe(groups: Mapping[str, Sequence[Trial]]) -> OneRecipe | None:
    if WHOLE not in groups:
        return None
    whole, scratch = groups[WHOLE], groups[SCRATCH]
    found = paired_difference(whole, scratch)
    epochs = (_most_epochs(whole[0]), _most_epochs(scratch[0]))
    saved = _saved(cost(whole), cost(scratch))
    return OneRecipe(found.mean, found.low, found.high, saved, epochs, equal_budget=epochs[0] == epochs[1])


def _most_epochs(trial: Trial) -> int:
    return sum(phase.epochs for phase in trial.plan.phases if isinstance(phase, Train))


def _saved(seconds: float, scratch: float) -> float:
    return 1 - seconds / max(scratch, 1e-9)


def seconds_to_best(group: Sequence[Trial]) -> float:
    """Median training seconds without those of the epochs after the best, which is the one whose weights were kept."""
    return float(np.median([trial.training_seconds - _seconds_after_best(trial) for trial in group]))


def _seconds_after_best(trial: Trial) -> float:
    steps = trial.steps
    if not steps:
        return 0.0
    best = min(range(len(steps)), key=lambda place: steps[place].metrics["loss"])
    return sum(step.seconds for step in steps[best + 1 :])


def _labels_saved(transferred: LearningCurve, scratch: LearningCurve) -> tuple[int | None, int | None, int | None]:
    """Labels of the largest size less those of the smallest at which transfer is as good as scratch with all.

    With its interval over the draws of both curves, which are paired by seeds and test samples.
    """
    if len(scratch.labels) < 2:
        return None, None, None

    def saved(means: Floats, goals: Floats) -> Floats:
        """(R,) of means (R, P) and goals (R,); minus infinity where no size reaches the goal."""
        fewest: Floats = np.where(means >= goals[:, None], transferred.labels, np.inf).min(axis=1)
        found: Floats = scratch.labels[-1] - fewest
        return found

    measured = saved(transferred.means[None], scratch.means[-1:])[0]
    if np.isinf(measured):
        return None, None, None
    tail = (1 - CONFIDENCE) / 2
    # Sizes are few: a quantile between two of them would be a number of labels that never ran.
    bounds = np.quantile(
        saved(transferred.draws, scratch.draws[:, -1]), [tail, 1 - tail], method="inverted_cdf"
    ).tolist()
    low, high = (None if np.isinf(one) else int(one) for one in bounds)
    return int(measured), low, high


def _labels_needed(scratch: LearningCurve, metric: float) -> float | None:
    """Where the fitted curve of scratch reaches a metric."""
    if scratch.law is None:
        return None
    return float(scratch.law.labels_for(np.array([1 - metric]))[0])


def energy_measured(transferred: Sequence[Trial], scratch: Sequence[Trial]) -> bool:
    """Whether the energy of both sides was measured: a measured one cannot be held against an estimate."""
    return all(trial.measured_joules is not None for trial in (*transferred, *scratch))


def _joules(group: Sequence[Trial], *, measured: bool) -> float:
    """The mean of a group; stored activations, and all where nothing was measured, at the power that is assumed."""
    found = [
        (trial.measured_joules or 0.0) + trial.stored_seconds * trial.watts
        if measured
        else trial.training_seconds * trial.watts
        for trial in group
    ]
    return sum(found) / len(found)
