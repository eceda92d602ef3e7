"""The learned prior: per arm a ridge regression of its gain over the probe on the numbers of the situation."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from rows import PROBE, Known

from regraft.recommending.estimate import paired_deviation
from regraft.recommending.prior import PROBE_ALL, PROBE_EARLIER, RULES, Prior, prior_from_json
from regraft.recommending.situation import deviation

# Few and plain: with distance, overfitting and the kind of input besides, mean regret on tasks left out was larger.
FEATURES = ("per_class", "missing", "missing_per_class", "all_gain", "stage_gain")
ARMS = (
    PROBE_ALL,
    PROBE_EARLIER,
    "partial-fine-tuning",
    "lora",
    "full-fine-tuning",
    "lp-ft",
    "gradual-unfreezing",
    "from-scratch",
)
# What the oracle calls by another name.
CALLED = {PROBE_EARLIER: "feature-extraction@75%"}
PENALTIES = (1.0, 3.0, 10.0, 30.0, 100.0)
MANY = 32  # samples per class from which the spread counts as that of many
FEWEST_TASKS = 6
BEYOND = 1.5  # times as many samples per class as were seen may still be judged by what was learned


def learned(cells: Sequence[Known], made_by: str = "") -> Prior:
    """The prior that these cells teach; arms with too few tasks keep the fixed rules."""
    return prior_from_json(learned_json(cells, made_by))


def learned_json(cells: Sequence[Known], made_by: str = "") -> dict[str, Any]:
    """The same as plain data."""
    numbers = np.array([_numbers(cell) for cell in cells])
    centre, scale = numbers.mean(axis=0), numbers.std(axis=0)
    scale = np.where(scale > 1e-6, scale, 1.0)
    inputs = (numbers - centre) / scale
    strategies = {}
    for arm in ARMS:
        name = CALLED.get(arm, arm)
        rows = [row for row, cell in enumerate(cells) if name in cell.reached]
        if len({cells[row].cell.task for row in rows}) >= FEWEST_TASKS:
            told = inputs[rows] if arm == PROBE_EARLIER else inputs[rows] * [one != "stage_gain" for one in FEATURES]
            strategies[arm] = _arm([cells[row] for row in rows], told, name)
    return {
        "used": True,
        "strategies": strategies,
        "centre": _named(centre),
        "scale": _named(scale),
        "anchor": _anchor(cells),
        "most_per_class": BEYOND * max(cell.situation.per_class for cell in cells),  # type: ignore[union-attr]
        "made_by": made_by,
        "evaluation": None,
    }


def _numbers(cell: Known) -> list[float]:
    """The features of a cell, with the measured gain of the earlier stage whose probe the oracle ran."""
    situation = cell.situation
    outline = situation.evidence.outline  # type: ignore[union-attr]
    stage = outline.boundary_name(outline.frozen_stages(CALLED[PROBE_EARLIER].partition("@")[2]))
    numbers = situation.numbers(stage=stage)  # type: ignore[union-attr]
    return [numbers[name] for name in FEATURES]


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
        "probe_noise": round(_probe_noise(probed), 3),
    }


def _probe_noise(cells: Sequence[Known]) -> float:
    """How many times as far as its interval says the gain of all stages is off, the root of the mean square."""
    ratios, tasks = [], []
    for cell in cells:
        situation = cell.situation
        whole = situation.evidence.get("probe/all")  # type: ignore[union-attr]
        if whole is None or f"{PROBE}@all" not in cell.reached:
            continue
        off = situation.all_gain - (cell.reached[f"{PROBE}@all"] - cell.reached[PROBE])  # type: ignore[union-attr]
        ratios.append(off / max(paired_deviation(whole, situation.probe), 1e-3))  # type: ignore[union-attr, arg-type]
        tasks.append(cell)
    return min(max(_rms(np.array(ratios), _weights(tasks)), 1.0), 3.0) if ratios else 1.0


def _rms(errors: np.ndarray, weights: np.ndarray) -> float:
    return float(np.sqrt((weights * errors**2).sum() / weights.sum())) if len(errors) else float("nan")


def _named(values: np.ndarray) -> dict[str, float]:
    return {name: round(float(value), 5) for name, value in zip(FEATURES, values, strict=True)}


__all__ = ["RULES", "learned", "learned_json"]
