"""Strategies against the best of them; those that the data cannot tell apart go to the cheapest."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from regraft.comparing.statistics import holm, interval, mean_draws, mean_metric, paired_difference
from regraft.comparing.trials import Trial
from regraft.core.words import points, seconds_said

Groups = Mapping[tuple[str, str], Sequence[Trial]]


@dataclass(frozen=True)
class Summary:
    """A strategy over its seeds; `low` and `high` bound the mean with 95 % confidence.

    Attributes:
        strategy: Its name.
        shots: Training samples per class, or `all`.
        mean: Of the task's metric.
        low: Of the interval.
        high: Of the same.
        seconds: Median wall time.
        labels: Mean number of labelled samples used, validation included.
        training_seconds: Median of the trials' training seconds, as `Trial` counts them.
        seeds: How many.
    """

    strategy: str
    shots: str
    mean: float
    low: float
    high: float
    seconds: float
    labels: float = 0.0
    training_seconds: float = 0.0
    seeds: int = 1


@dataclass(frozen=True)
class Contest:
    """A strategy against the reference, the best on the validation part, with most labels.

    Attributes:
        strategy: Its name.
        difference: Strategy minus reference, on the test part.
        low: Of the paired 95 % interval.
        high: Of the same.
        p_value: Of the paired bootstrap test.
        p_holm: The same, corrected for the number of strategies.
        tied: The interval includes 0.
    """

    strategy: str
    difference: float
    low: float
    high: float
    p_value: float
    p_holm: float
    tied: bool


@dataclass(frozen=True)
class Verdict:
    """What to take, and why in one sentence."""

    strategy: str
    reason: str


def grouped(trials: Sequence[Trial]) -> dict[tuple[str, str], list[Trial]]:
    """Trials by (strategy, shots), in the order in which they ran."""
    groups: dict[tuple[str, str], list[Trial]] = {}
    for trial in trials:
        groups.setdefault((trial.strategy, trial.shots), []).append(trial)
    return groups


def largest(trials: Sequence[Trial]) -> str:
    """The shots with most labels."""
    return max(trials, key=lambda trial: trial.labels).shots


def summarise(groups: Groups) -> tuple[Summary, ...]:
    """Means with bootstrap intervals over seeds and test samples."""
    rows = []
    for (strategy, shots), group in groups.items():
        low, high = interval(mean_draws(group))
        rows.append(
            Summary(
                strategy,
                shots,
                mean_metric(group),
                low,
                high,
                seconds=float(np.median([trial.seconds for trial in group])),
                labels=float(np.mean([trial.labels for trial in group])),
                training_seconds=cost(group),
                seeds=len(group),
            )
        )
    return tuple(rows)


def cost(group: Sequence[Trial]) -> float:
    """Median training seconds."""
    return float(np.median([trial.training_seconds for trial in group]))


def best_on_validation(groups: Mapping[str, Sequence[Trial]]) -> str:
    """The strategy with the best mean validation metric; of equal ones, or without a validation part, the cheapest."""

    def key(name: str) -> tuple[float, float]:
        found = float(np.mean([trial.validation for trial in groups[name]]))
        return (found if np.isfinite(found) else -np.inf, -cost(groups[name]))

    return max(groups, key=key)


def contests(groups: Mapping[str, Sequence[Trial]], reference: str) -> tuple[Contest, ...]:
    """Every other strategy against the reference."""
    names = [name for name in groups if name != reference]
    found = [paired_difference(groups[name], groups[reference]) for name in names]
    adjusted = holm([one.p_value for one in found])
    return tuple(
        Contest(name, one.mean, one.low, one.high, one.p_value, p_holm, one.low <= 0 <= one.high)
        for name, one, p_holm in zip(names, found, adjusted, strict=True)
    )


def decide(groups: Mapping[str, Sequence[Trial]], reference: str, rows: Sequence[Contest]) -> Verdict:
    """The cheapest among the reference and those that the test part cannot tell from it.

    The test part says who is tied, never who is best: among the tied the seconds decide.
    """
    tied = [row.strategy for row in rows if row.tied]
    better = [row for row in rows if row.low > 0]
    cheapest = min([reference, *tied], key=lambda name: cost(groups[name]))
    warned = "".join(
        f" On the test part {row.strategy} is better by {points(row.difference)} points; "
        "the validation part, which chooses, did not show it: more validation samples would."
        for row in better
    )
    took = {name: seconds_said(cost(groups[name])) for name in (cheapest, reference)}
    if not rows:
        return Verdict(reference, f"{reference} is the only strategy that ran.")
    chosen = "best on the validation part" if chosen_by_validation(groups) else "taken as the reference"
    if cheapest != reference:
        row = next(row for row in rows if row.strategy == cheapest)
        return Verdict(
            cheapest,
            f"Tie: take the cheaper. {reference} is {chosen}, and {cheapest} is not distinguishable from it "
            f"({points(row.difference, signed=True)} points, 95 % interval {points(row.low, signed=True)} to "
            f"{points(row.high, signed=True)}); it trains in {took[cheapest]}, not {took[reference]}.{warned}",
        )
    if tied:
        return Verdict(
            reference,
            f"Tie: take the cheaper. {reference} is {chosen} and costs least ({took[reference]}) of those that cannot be "
            f"told apart: {', '.join([reference, *tied])}.{warned}",
        )
    rest = (
        "every other strategy differs from it measurably" if better else "measurably better than every other strategy"
    )
    return Verdict(reference, f"{reference} is {chosen}, and {rest}.{warned}")


def chosen_by_validation(groups: Mapping[str, Sequence[Trial]]) -> bool:
    """Whether every trial has a validation metric to choose by."""
    return all(np.isfinite(trial.validation) for group in groups.values() for trial in group)
