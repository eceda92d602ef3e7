"""The learned prior: per arm a ridge regression of its gain over the probe on the numbers of the situation.

A probe of other stages is measured itself before anything is recommended. Of it only the usual gain is learned, how far
tasks lie apart, and how far the difference of two cross-validated probes is off: numbers of the situation made its
predictions worse on tasks left out.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from grid import Cell
from rows import PROBE, Known, offered

from regraft.core import Measurement
from regraft.recommending.decision_table import within_reach
from regraft.recommending.estimate import PAIRED, anchor, gained, paired_deviation
from regraft.recommending.prior import PROBE_ALL, PROBE_EARLIER, RULES, Prior, prior_from_json
from regraft.recommending.situation import Z80, deviation

# Few and plain: what the probe lacks and what earlier stages hold can be learnt the better the more samples there are. With
# samples per class instead, distance, overfitting or the kind of input besides, mean regret on tasks left out was larger.
FEATURES = ("samples", "missing", "missing_samples", "all_gain", "all_gain_samples")
# Probes by the name that the prior knows them by: as the oracle calls them, and what each is compared with.
PROBES = {PROBE_ALL: (PROBE_ALL, PROBE), PROBE_EARLIER: ("feature-extraction@75%", PROBE_ALL)}
ARMS = (
    "partial-fine-tuning",
    "lora",
    "full-fine-tuning",
    "lp-ft",
    "gradual-unfreezing",
    "from-scratch",
)
# How far tasks lie apart in what another probe gains, and how many times as far as its interval says its measurement is off.
SPREADS = (0.02, 0.03, 0.04, 0.05, 0.06, 0.08, 0.1)
NOISES = (1.0, 1.25, 1.5, 1.75, 2.0, 2.5, 3.0)
PENALTIES = (1.0, 3.0, 10.0, 30.0, 100.0)
MANY = 32  # samples per class from which the spread counts as that of many
FEWEST_TASKS = 6
BEYOND = 1.5  # times as many samples per class as were seen may still be judged by what was learned


_LEARNED: dict[tuple[tuple[Cell, frozenset[str]], ...], Prior] = {}  # by cells and their arms


def learned(cells: Sequence[Known]) -> Prior:
    """The prior that these cells teach, learned once; arms with too few tasks keep the fixed rules."""
    key = tuple((one.cell, frozenset(one.reached)) for one in cells)
    if key not in _LEARNED:
        _LEARNED[key] = prior_from_json(learned_json(cells))
    return _LEARNED[key]


def learned_json(cells: Sequence[Known], made_by: str = "") -> dict[str, Any]:
    """The same as plain data."""
    numbers = np.array([_numbers(cell) for cell in cells])
    centre, scale = numbers.mean(axis=0), numbers.std(axis=0)
    scale = np.where(scale > 1e-6, scale, 1.0)
    inputs = (numbers - centre) / scale
    probed = {arm: _probed(cells, arm) for arm in PROBES}
    noise = min(NOISES, key=lambda one: sum(found.unlikely(found.spread(one), one) for found in probed.values()))
    strategies: dict[str, Any] = {
        arm: {
            "bias": round(found.usual, 5),
            "weights": {},
            "spread": dict.fromkeys(("few", "many"), found.spread(noise)),
            "cells": len(cells),
        }
        for arm, found in probed.items()
    }
    for arm in ARMS:
        rows = [row for row, cell in enumerate(cells) if arm in cell.reached]
        if len({cells[row].cell.task for row in rows}) >= FEWEST_TASKS:
            strategies[arm] = _arm([cells[row] for row in rows], inputs[rows], arm)
    found = {
        "used": True,
        "strategies": strategies,
        "centre": _named(centre),
        "scale": _named(scale),
        "anchor": {**_anchor(cells), "probe_noise": noise, "width": 1.0},
        "most_per_class": BEYOND * max(cell.situation.per_class for cell in cells),  # type: ignore[union-attr]
        "most_samples": max(cell.situation.summary.samples for cell in cells),  # type: ignore[union-attr]
        "made_by": made_by,
        "evaluation": None,
    }
    found["anchor"]["width"] = round(_width(cells, prior_from_json(found)), 3)
    return found


def _width(cells: Sequence[Known], prior: Prior) -> float:
    """How wide an 80 % interval must be to hold 80 % of what these cells reached, in the widths that the spreads say."""
    off = []
    for cell in cells:
        for arm, offer in offered(cell).items():
            base, base_spread = anchor(cell.situation, prior)  # type: ignore[arg-type]
            gain, _ = gained(offer, cell.situation, prior)  # type: ignore[arg-type]
            off.append(abs(cell.reached[arm] - base - gain.mean) / math.hypot(base_spread, gain.spread))
    return float(np.quantile(off, 0.8)) / Z80


def _numbers(cell: Known) -> list[float]:
    """The features of a cell."""
    numbers = cell.situation.numbers()  # type: ignore[union-attr]
    return [numbers[name] for name in FEATURES]


@dataclass(frozen=True)
class _Probed:
    """One probe against another in every cell: what was measured and what the test part said, a row a cell.

    Attributes:
        measured: Gain in cross-validation.
        deviation: Of that gain, by the intervals of the two.
        gain: The same on the test part.
        drawn: Variance of that gain by the draw of the test part.
        reached: What the other reaches in cross-validation.
        weights: Of the cells.
    """

    measured: np.ndarray
    deviation: np.ndarray
    gain: np.ndarray
    drawn: np.ndarray
    reached: np.ndarray
    weights: np.ndarray

    @property
    def usual(self) -> float:
        return float((self.weights * self.gain).sum() / self.weights.sum())

    def spread(self, noise: float) -> float:
        """The likeliest spread of the true gain over tasks, given how noisy the measurements are."""
        return min(SPREADS, key=lambda one: self.unlikely(one, noise))

    def unlikely(self, spread: float, noise: float) -> float:
        """Negative log likelihood of the gains, each predicted as `regraft.recommending` predicts it."""
        believed = np.array([within_reach(self.usual, reached) for reached in self.reached])
        weight = spread**2 / (spread**2 + (noise * self.deviation) ** 2)
        expected = believed + weight * (self.measured - believed)
        variance = (1 - weight) * spread**2 + self.drawn
        off = (self.gain - expected) ** 2 / variance + np.log(variance)
        return float((self.weights * off).sum() / 2)


def _probe(cell: Known, arm: str) -> Measurement:
    """The cross-validated probe of an arm of the oracle."""
    evidence, asked = cell.situation.evidence, arm.partition("@")[2]  # type: ignore[union-attr]
    outline = evidence.outline
    stage = asked if asked == "all" else outline.boundary_name(outline.frozen_stages(asked) if asked else len(outline))
    found = evidence.get(f"probe/{stage}")
    if found is None:
        raise ValueError(f"{cell.cell}: no probe of {stage}: run gather.py")
    return found


def _probed(cells: Sequence[Known], arm: str) -> _Probed:
    rows, (name, other) = [], PROBES[arm]
    for cell in cells:
        probe, against = _probe(cell, name), _probe(cell, other)
        share = cell.reached[other]
        drawn = 2 * (1 - PAIRED) * max(share * (1 - share), 0.01) / cell.test
        gain = cell.reached[name] - share
        rows.append((probe.value - against.value, paired_deviation(probe, against), gain, drawn, against.value))
    return _Probed(*np.array(rows).T, _weights(cells))


def _arm(cells: Sequence[Known], inputs: np.ndarray, arm: str) -> dict[str, Any]:
    gains = np.array([cell.reached[arm] - cell.reached[PROBE] for cell in cells])
    weights, tasks = _weights(cells), np.array([cell.cell.task for cell in cells])
    left = {}
    for penalty in PENALTIES:
        errors = np.empty(len(gains))
        for task in set(tasks):
            held = tasks == task
            bias, slopes = _ridge(inputs[~held], gains[~held], weights[~held], penalty)
            errors[held] = gains[held] - bias - inputs[held] @ slopes
        left[penalty] = errors
    best = min(PENALTIES, key=lambda one: float((weights * left[one] ** 2).sum()))
    bias, slopes = _ridge(inputs, gains, weights, best)
    many = np.array([cell.situation.per_class >= MANY for cell in cells])  # type: ignore[union-attr]
    spread = {name: _rms(left[best][rows], weights[rows]) for name, rows in (("few", ~many), ("many", many))}
    whole = _rms(left[best], weights)
    spread = {name: round(value if np.isfinite(value) else whole, 4) for name, value in spread.items()}
    return {"bias": round(bias, 5), "weights": _named(slopes), "spread": spread, "penalty": best, "cells": len(cells)}


def _ridge(inputs: np.ndarray, gains: np.ndarray, weights: np.ndarray, penalty: float) -> tuple[float, np.ndarray]:
    bias = float((weights * gains).sum() / weights.sum())
    mean = (weights[:, None] * inputs).sum(axis=0) / weights.sum()
    centred = inputs - mean
    gram = (centred * weights[:, None]).T @ centred + penalty * np.eye(inputs.shape[1])
    slopes = np.linalg.solve(gram, (centred * weights[:, None]).T @ (gains - bias))
    return bias - float(mean @ slopes), slopes


def _weights(cells: Sequence[Known]) -> np.ndarray:
    """Every task with few labels counts the same, and with many; all sum to the number of rows."""
    counts = Counter((cell.cell.task, cell.cell.shots) for cell in cells)
    weights = np.array([1 / counts[cell.cell.task, cell.cell.shots] for cell in cells])
    return weights * len(cells) / weights.sum()


def _anchor(cells: Sequence[Known]) -> dict[str, float]:
    """What cross-validation says of the test part: shift, spread, and gain per doubling of the labels and point missing."""
    probed = [cell for cell in cells if cell.situation is not None and cell.situation.probe is not None]
    left, steps, noise = [], [], []
    for cell in probed:
        situation = cell.situation
        more = max(np.log2(situation.labels / situation.learnt_from), 0.0)  # type: ignore[union-attr]
        steps.append(more * (1 - situation.reached))  # type: ignore[union-attr]
        left.append(cell.reached[PROBE] - situation.reached)  # type: ignore[union-attr]
        noise.append(deviation(situation.probe) ** 2)  # type: ignore[union-attr, arg-type]
    gaps, rise, weights = np.array(left), np.array(steps), _weights(probed)
    slope = float((weights * rise * gaps).sum() / max((weights * rise**2).sum(), 1e-9))
    slope = min(max(slope, 0.0), 0.2)
    rest = gaps - slope * rise
    shift = float((weights * rest).sum() / weights.sum())
    variance = float((weights * (rest - shift) ** 2).sum() / weights.sum()) - float(np.mean(noise))
    return {
        "shift": round(shift, 4),
        "spread": round(max(variance, 0.01**2) ** 0.5, 4),
        "slope": round(slope, 4),
    }


def _rms(errors: np.ndarray, weights: np.ndarray) -> float:
    return float(np.sqrt((weights * errors**2).sum() / weights.sum())) if len(errors) else float("nan")


def _named(values: np.ndarray) -> dict[str, float]:
    return {name: round(float(value), 5) for name, value in zip(FEATURES, values, strict=True)}


__all__ = ["RULES", "learned", "learned_json"]
