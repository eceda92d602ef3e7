"""Raced trials: the strategies that need gradients, tried on growing pieces of the training part (successive halving).

Jamieson and Talwalkar 2016, "Non-stochastic best arm identification and hyperparameter optimization", with the number of
training samples as the resource: every trial runs its strategy's own schedule on its piece, so that a trial is an
honest run at a smaller size, not a cut-off one at the full size.
"""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from regraft.core import Measurement, Plan, RegraftError
from regraft.measuring.cost import Counts, Speed, predicted_seconds
from regraft.measuring.trials import Ground, Result
from regraft.recommending import Offer

GroundOf = Callable[[int | None], Ground]
Report = Callable[[str, int, int], None]

FEWEST_HELD = 60  # with fewer held-out samples the noise of a trial is larger than what it could tell
FEWEST_SAMPLES = 60  # to train on, and at least two of each class
MOST_RUNGS = 3
PATIENCE = 3.0  # times the foreseen seconds before a trial is given up, since other work may come between
FLOOR = 10.0  # seconds before which none is given up


@dataclass(frozen=True)
class Race:
    """What is raced, and within what.

    Attributes:
        ground_of: From a number of training samples to the ground that a trial runs on.
        probe: The offer that the others are held against.
        offers: The others, the most promising first.
        plan_of: From an offer and a ground to the plan for so many samples.
        speed: Of the backbone on this machine.
        seconds: At most so many, about.
        progress: Called with (what, done, total).
    """

    ground_of: GroundOf
    probe: Offer
    offers: Sequence[Offer]
    plan_of: Callable[[Offer, Ground], Plan]
    speed: Speed
    seconds: float
    progress: Report | None = None


def foreseen(offer: Offer, ground: Ground, race: Race) -> float:
    """Seconds of one trial."""
    counts = Counts.of(ground.task, len(ground.task.train))
    return predicted_seconds(race.plan_of(offer, ground), race.speed, counts)


def raced(race: Race) -> list[Measurement]:
    """`trial-gain/ARM`, `trial/ARM` and `trial-samples/ARM` of every offer that was tried, of its last rung.

    Nothing is tried where there are too few samples or too few seconds to learn anything from it.
    """
    whole = race.ground_of(None)
    held = len(whole.task.splits["test"])
    fewest = max(FEWEST_SAMPLES, 2 * len(whole.task.classes))
    if held < FEWEST_HELD or len(whole.task.train) < fewest or not race.offers:
        return []
    deadline = time.perf_counter() + race.seconds
    sizes, contenders = _rungs(race, len(whole.task.train), fewest)
    found: dict[str, list[Measurement]] = {}
    for number, size in enumerate(sizes):
        results = _rung(race, race.ground_of(size), contenders, deadline)
        for arm, (result, probe) in results.items():
            found[arm] = _measured(arm, result, probe, size, held)
            found[race.probe.arm] = _measured(race.probe.arm, probe, probe, size, held)[1:]
        gains = {offer: results[offer.arm][0].value for offer in contenders if offer.arm in results}
        kept = max(1, math.ceil(len(contenders) / 2))
        contenders = sorted(gains, key=lambda offer: -gains[offer])[:kept]
        if not contenders or (number + 1 < len(sizes) and time.perf_counter() > deadline):
            break
    return [one for rows in found.values() for one in rows]


def _rungs(race: Race, most: int, fewest: int) -> tuple[list[int], list[Offer]]:
    """Training samples of each rung, and the offers that start: as many as the seconds allow."""
    for count in range(len(race.offers), 0, -1):
        contenders = list(race.offers[:count])
        sizes = [most]
        while count > 1 and sizes[0] // 2 >= fewest and len(sizes) < min(MOST_RUNGS, 1 + math.ceil(math.log2(count))):
            sizes.insert(0, sizes[0] // 2)
        # The full size may be too dear: go down until it fits, or start with fewer contenders.
        while sizes and sizes[-1] >= fewest:
            if _foreseen_all(race, sizes, contenders) <= race.seconds:
                return sizes, contenders
            smaller = [size // 2 for size in sizes]
            sizes = [size for size in smaller if size >= fewest]
    return [], []


def _foreseen_all(race: Race, sizes: Sequence[int], contenders: Sequence[Offer]) -> float:
    """Seconds of a race, if the dearest contenders stay in it."""
    total, count = 0.0, len(contenders)
    for size in sizes:
        ground = race.ground_of(size)
        costs = sorted((foreseen(offer, ground, race) for offer in contenders), reverse=True)
        total += sum(costs[:count]) + foreseen(race.probe, ground, race)
        count = max(1, math.ceil(count / 2))
    return total


def _rung(race: Race, ground: Ground, contenders: Sequence[Offer], deadline: float) -> dict[str, tuple[Result, Result]]:
    """Each contender's result beside the probe's."""
    probe = _tried(race, race.probe, ground, math.inf)
    found: dict[str, tuple[Result, Result]] = {}
    for number, offer in enumerate(contenders):
        if race.progress is not None:
            race.progress(f"trying {offer.arm} on {len(ground.task.train)} samples", number, len(contenders))
        seconds = PATIENCE * foreseen(offer, ground, race)
        left = deadline - time.perf_counter()
        if left <= 0:
            break
        result = _tried(race, offer, ground, time.perf_counter() + max(min(seconds, 1.2 * left), FLOOR))
        if probe is not None and result is not None:
            found[offer.arm] = (result, probe)
    return found


def _tried(race: Race, offer: Offer, ground: Ground, deadline: float) -> Result | None:
    try:
        return ground.run(race.plan_of(offer, ground), deadline)
    except RegraftError:  # such as a trunk without layers for adapters: it is not tried
        return None


def _measured(arm: str, result: Result, probe: Result, size: int, held: int) -> list[Measurement]:
    """A trial as measurements; the gain is paired over the held-out samples."""
    draws = result.draws - probe.draws
    draws = draws[~np.isnan(draws)]
    low, high = (float(value) for value in np.percentile(draws, [10, 90])) if len(draws) else (math.nan, math.nan)
    gain = result.value - probe.value
    # Where every held-out answer is the same, the next one may still differ.
    low, high = min(low, gain - 1 / held), max(high, gain + 1 / held)
    source = f"trained on {size} training samples, compared with the probe on {held} others"
    own = [float(value) for value in np.nanpercentile(result.draws, [10, 90])]
    return [
        Measurement(f"trial-gain/{arm}", gain, low, high, result.seconds, source),
        Measurement(f"trial/{arm}", result.value, own[0], own[1], 0.0, source),
        Measurement(f"trial-samples/{arm}", float(size), source="training samples of the trial"),
    ]
