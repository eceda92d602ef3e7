"""The best first; what cannot be told apart in the order of cost."""

import math
from collections.abc import Sequence

from regraft.recommending.estimate import Estimate

# Expected results closer than this are a tie, whatever the intervals: nobody trains for hours over half a point.
TIE = 0.005
# ... and so are those closer than this share of the standard deviation of their difference.
TIE_DEVIATIONS = 0.0


def tied(best: Estimate, other: Estimate, deviations: float = TIE_DEVIATIONS) -> bool:
    """Whether `other` may stand for `best`: its expected loss is small against what is known."""
    spread = math.hypot(best.gain_spread, other.gain_spread)
    return best.expected - other.expected <= max(TIE, deviations * spread)


def ranked(estimates: Sequence[Estimate]) -> list[Estimate]:
    """In the order in which to try them: of those that tie with the best one left, the cheapest comes next."""
    left, order = list(estimates), []
    while left:
        best = max(left, key=lambda one: one.expected)
        rivals = [one for one in left if tied(best, one)]
        chosen = min(rivals, key=lambda one: (one.cost_seconds, -one.expected))
        order.append(chosen)
        left.remove(chosen)
    return order
