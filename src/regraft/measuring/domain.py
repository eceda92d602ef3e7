"""One number for how far a task is from what a backbone was pre-trained on: 0 near, 1 far.

Each measure of similarity is placed between what it says of near and of far tasks, and the places are averaged. The
ends were found on tasks whose domain is known from their description, by `benchmarks/similarity.py --calibrate`.
"""

import math
from collections.abc import Mapping
from typing import Literal

from regraft.core import Measurement

Reads = Literal["image", "text"]

# Measure: (median on near tasks, median on far tasks). Only those that order the tasks of benchmarks/similarity.py.
ENDS: dict[Reads, dict[str, tuple[float, float]]] = {
    "image": {},
    "text": {},
}
NEAR, FAR = 1 / 3, 2 / 3


def domain_distance(measured: Mapping[str, Measurement], reads: Reads) -> Measurement | None:
    """`similarity/distance` from the other measures of similarity; None where none of them has ends.

    Args:
        measured: By their names without `similarity/`.
        reads: What the backbone reads.
    """
    ends = {name: end for name, end in ENDS[reads].items() if name in measured}
    if not ends:
        return None

    def mean(values: Mapping[str, float]) -> float:
        return sum(placed(values[name], *end) for name, end in ends.items()) / len(ends)

    value = mean({name: measured[name].value for name in ends})
    # All intervals' ends on the same side: measures of the same samples err together.
    sides = [mean({name: _end(measured[name], ends[name][side]) for name in ends}) for side in (0, 1)]
    said = "near" if value < NEAR else "far" if value > FAR else "middling"
    names = ", ".join(f"{name} {measured[name].value:.2f}" for name in ends)
    return Measurement(
        "similarity/distance", value, min(*sides, value), max(*sides, value), source=f"{said}, by {names}"
    )


def placed(value: float, near: float, far: float) -> float:
    """Where a value lies between the ends, 0-1."""
    return min(max((value - near) / (far - near), 0.0), 1.0)


def _end(one: Measurement, side: float) -> float:
    """The end of a measurement's interval that is closer to `side`; its value where it has none."""
    ends = [end for end in (one.low, one.high) if math.isfinite(end)] or [one.value]
    return min(ends, key=lambda end: abs(end - side))
