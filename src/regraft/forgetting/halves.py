"""Source data in two: what chooses, and what tells how well that went."""

import random
from collections import defaultdict

from regraft.forgetting.measure import Measure

SEED = 0  # not that of a run: what chose in one never reports in another


def halves(measure: Measure) -> tuple[Measure, Measure]:
    """The choosing and the reporting half: as many of each class in both, and what belongs together in one."""
    groups: dict[int, list[int]] = defaultdict(list)
    for row, group in enumerate(measure.groups):
        groups[group].append(row)
    rng = random.Random(SEED)  # noqa: S311 - not a secret
    shuffled = rng.sample(sorted(groups), len(groups))
    sides: tuple[list[int], list[int]] = ([], [])
    # One class after the other, each group to the side that has fewer: also of classes of one sample half go to each.
    strata = measure.strata
    for group in sorted(shuffled, key=lambda one: strata[groups[one][0]]):
        min(sides, key=len).extend(groups[group])
    choosing, held = (measure.part(sorted(rows)) for rows in sides)
    return choosing, held
