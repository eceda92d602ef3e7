"""The best first; what cannot be told apart in the order of cost."""

import math
from collections.abc import Sequence

from regraft.recommending.estimate import Estimate

# Expected results closer than this are a tie, whatever the intervals: nobody trains for hours over half a point.
TIE = 0.005
# What ties is taken instead of the best only if it costs at most this share and saves so many seconds: nobody gives half
# a point for a second.
CHEAPER = 0.5
WORTH_SAVING = 10.0
# Ties are also those closer than this share of the standard deviation of their difference: the odds that the first is better
# are below 56 to 44 then. Between 0.1 and 0.3 the points lost on tasks left out differ by 0.04 (`benchmarks/verdict/verdict.py`).
TIE_DEVIATIONS = 0.15


def tied(best: Estimate, other: Estimate, deviations: float = TIE_DEVIATIONS) -> bool:
    """Whether `other` may stand for `best`: its expected loss is small against what is known."""
    spread = math.hypot(best.gain_spread, other.gain_spread)
    return best.expected - other.expected <= max(TIE, deviations * spread)


def saves(cost_seconds: float, other_seconds: float) -> bool:
    """Whether a cost is so much smaller than another that it decides between what ties."""
    return cost_seconds <= min(CHEAPER * other_seconds, other_seconds - WORTH_SAVING)


def ranked(estimates: Sequence[Estimate]) -> list[Estimate]:
    """In the order in which to try them: of those that tie with the best one left, the cheapest comes next."""
    left, order = list(estimates), []
    while left:
        # Where several are expected to be perfect, by what they gain: an expected result ends at 1, a measured gain does not.
        best = max(left, key=lambda one: (one.expected, one.gain, -one.cost_seconds))
        rivals = [
            one for one in left if one is best or (tied(best, one) and saves(one.cost_seconds, best.cost_seconds))
        ]
        chosen = min(rivals, key=lambda one: (one.cost_seconds, -one.expected))
        order.append(chosen)
        left.remove(chosen)
    return order
