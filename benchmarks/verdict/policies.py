"""What the recommendation is held against: fixed policies, the classical rules, and the engine with each prior."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from learning import learned
from rows import PROBE, Known, offered

from regraft.core import Recommendation
from regraft.recommending import recommend
from regraft.recommending.estimate import gained
from regraft.recommending.prior import RULES, Prior

# Seconds that stand for an arm's cost where a tie is broken: what is usual, not what these very cells took. Probes share
# one pass of the trunk.
PROBE_SECONDS, PARTIAL_SECONDS, TUNING_SECONDS = 5.0, 20.0, 60.0
Policy = Callable[[Known, Sequence[Known]], str]


@dataclass(frozen=True)
class Pick:
    """What the engine picked, with the interval of every arm."""

    arm: str
    intervals: dict[str, tuple[float, float, float]]


def engine(cell: Known, prior: Prior) -> Pick:
    """The recommendation among the arms that the oracle ran."""
    situation = cell.situation
    if situation is None:
        raise ValueError("no evidence")
    named = offered(cell)
    cost = {id(offer): _usual_seconds(arm) for arm, offer in named.items()}
    found: Recommendation = recommend(
        situation.summary,
        "accuracy",
        situation.labels,
        [situation.evidence],
        list(named.values()),
        lambda offer: cost[id(offer)],
        prior=prior,
    )
    arms = {(offer.strategy, offer.boundary): arm for arm, offer in named.items()}
    intervals = {arms[one.strategy, one.boundary]: (one.low, one.expected, one.high) for one in found.choices}
    return Pick(arms[found.best.strategy, found.best.boundary], intervals)


def expected_with_trials(cell: Known, prior: Prior) -> dict[str, tuple[float, float]]:
    """By arm that was tried on a piece: the gain that is expected with its trial, and without any."""
    situation = cell.situation
    if situation is None:
        return {}
    evidence = situation.evidence
    untried = tuple(one for one in evidence if not one.name.startswith("trial"))
    alone = replace(situation, evidence=replace(evidence, measurements=untried))
    return {
        arm: (gained(offer, situation, prior)[0].mean, gained(offer, alone, prior)[0].mean)
        for arm, offer in offered(cell).items()
        if evidence.get(f"trial-gain/{arm}") is not None
    }


def _usual_seconds(arm: str) -> float:
    if arm.startswith(PROBE):
        return PROBE_SECONDS
    return PARTIAL_SECONDS if arm == "partial-fine-tuning" else TUNING_SECONDS


def always(arm: str) -> Policy:
    return lambda cell, others: arm


def classical(cell: Known, others: Sequence[Known]) -> str:
    """The four rules: few or many labels, near or far domain."""
    situation = cell.situation
    if situation is None or situation.few:
        return "feature-extraction@75%" if situation is not None and situation.far else PROBE
    return "full-fine-tuning"


def best_elsewhere(cell: Known, others: Sequence[Known]) -> str:
    """The fixed policy with the smallest mean regret on the other tasks."""
    arms = set(cell.reached).intersection(*(set(one.reached) for one in others))
    return min(arms, key=lambda arm: float(np.mean([max(one.reached.values()) - one.reached[arm] for one in others])))


def by_rules(cell: Known, others: Sequence[Known]) -> str:
    return engine(cell, calibrated(others)).arm


def by_learning(cell: Known, others: Sequence[Known]) -> str:
    return engine(cell, learned(others)).arm


def calibrated(others: Sequence[Known]) -> Prior:
    """The fixed rules with what the other tasks say of the last stage's probe."""
    return replace(RULES, anchor={**learned(others).anchor, "width": RULES.anchor["width"]})
