"""What a strategy is expected to gain over the probe before it is tried: learned from benchmark runs, or by rule.

The learned prior is a ridge regression per strategy on a few numbers of the situation (`Situation.numbers`), and of the
probes of other stages what they usually gain, all stages over the last and an earlier one over all: their own measurements
do the rest. It is fitted by
`benchmarks/verdict/verdict.py fit` on runs of other tasks and shipped as `prior.json`. It says how it was made and what
leave-one-task-out evaluation found; it is used only where that is better than the fixed rules.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from regraft.recommending.decision_table import table_gain, within_reach
from regraft.recommending.offers import PARTIAL, PROBE, SCRATCH, Offer
from regraft.recommending.situation import Situation

PROBE_ALL = f"{PROBE}@all"
PROBE_EARLIER = f"{PROBE}@earlier"
DEEP = 0.6  # share of the stages from which on an earlier stage is like those that were learned from, at three quarters
USUAL_PARTIAL = 2 / 3  # share of the stages that partial fine-tuning freezes unless told otherwise
BOUNDARY_SPREAD = 0.01  # what is added, in quadrature, for a boundary between those that were learned from
# By rule: what the probe of an earlier stage gains over that of all stages, and its spread; and of one of the first stages.
EARLIER, SHALLOW = (-0.02, 0.03), (-0.10, 0.08)


@dataclass(frozen=True)
class Gain:
    """Metric over the probe's on the same samples: expected value and standard deviation, as shares."""

    mean: float
    spread: float


@dataclass(frozen=True)
class Prior:
    """Gains of strategies, and what cross-validated probes say of test parts.

    Attributes:
        strategies: By arm: `bias`, `weights` by feature, `spread` at few and at many labels; empty = the fixed rules.
        centre: Mean of each feature.
        scale: Standard deviation of each feature.
        anchor: `shift` and `spread` of test metric less cross-validated one, `slope` per doubling of labels and point
            missing, `probe_noise`: how many times as far as its interval says the difference of two probes is off,
            `width`: how many times as wide as the spreads say an 80 % interval is.
        most_per_class: Samples per class up to which it was learned; beyond, the fixed rules hold.
        most_samples: Training samples up to which it was learned; more of them count as so many.
        made_by: The command that wrote it.
        evaluation: What leave-one-task-out evaluation found.
    """

    strategies: Mapping[str, Any]
    centre: Mapping[str, float]
    scale: Mapping[str, float]
    anchor: Mapping[str, float]
    most_per_class: float = math.inf
    most_samples: float = math.inf
    made_by: str = ""
    evaluation: Mapping[str, Any] | None = None

    @property
    def belief(self) -> str:
        """What it rests on, in words."""
        return "what was learned on other tasks" if self.strategies else "rules of thumb"

    def at(self, situation: Situation) -> "Prior":
        """This prior, or the fixed rules where there are more labels per class, or other answers, than it was learned from."""
        known = situation.classified and situation.per_class <= self.most_per_class
        return self if known else RULES

    def gain(self, offer: Offer, situation: Situation, samples: int | None = None) -> Gain:
        """What an offer is expected to gain over the probe, before it is tried or probed itself.

        Args:
            offer: Any strategy and boundary.
            situation: The task on its backbone.
            samples: Of the training part; None = all there are.
        """
        if offer.strategy == PROBE and offer.usual:
            return Gain(0.0, 0.0)
        if offer.strategy == PROBE:
            whole = self.of_all(situation, samples)
            if offer.boundary == "all":
                return whole
            under = self.under_all(offer)
            return Gain(whole.mean + under.mean, math.hypot(whole.spread, under.spread))
        if offer.strategy == PARTIAL:
            return self._between(offer.frozen_share, situation, samples)
        return self._arm(offer.strategy, situation, samples)

    def of_all(self, situation: Situation, samples: int | None = None) -> Gain:
        """What a probe of all stages is expected to gain over one of the last."""
        return self._arm(PROBE_ALL, situation, samples)

    def under_all(self, offer: Offer) -> Gain:
        """What a probe of an earlier stage is expected to gain over one of all stages: less than nothing."""
        if offer.frozen_share < DEEP:
            return Gain(*SHALLOW)
        learned = self.strategies.get(PROBE_EARLIER)
        return Gain(learned["bias"], learned["spread"]["few"]) if learned else Gain(*EARLIER)

    def _between(self, frozen_share: float, situation: Situation, samples: int | None) -> Gain:
        """Partial fine-tuning at any boundary: between the whole model, its usual boundary and the probe."""
        usual = self._arm(PARTIAL, situation, samples)
        if abs(frozen_share - USUAL_PARTIAL) < 0.1:
            return usual
        if frozen_share > USUAL_PARTIAL:
            other, share = Gain(0.0, 0.0), (frozen_share - USUAL_PARTIAL) / (1 - USUAL_PARTIAL)
        else:
            other, share = self._arm("full-fine-tuning", situation, samples), 1 - frozen_share / USUAL_PARTIAL
        mean = (1 - share) * usual.mean + share * other.mean
        return Gain(mean, math.hypot((1 - share) * usual.spread + share * other.spread, BOUNDARY_SPREAD))

    def _arm(self, arm: str, situation: Situation, samples: int | None) -> Gain:
        per_class = situation.per_class
        if samples is not None:
            per_class *= samples / max(situation.summary.samples, 1)
        learned = self.strategies.get(arm)
        if learned is None or situation.probe is None:
            return Gain(*table_gain(arm, situation, per_class))
        count = situation.summary.samples if samples is None else samples
        numbers = situation.numbers(min(count, self.most_samples))
        mean = learned["bias"] + sum(
            weight * (numbers[name] - self.centre[name]) / self.scale[name]
            for name, weight in learned["weights"].items()
        )
        mean = within_reach(mean, situation.reached)
        few, many = learned["spread"]["few"], learned["spread"]["many"]
        share = min(max((math.log2(max(per_class, 1)) - 3) / 5, 0.0), 1.0)  # 8 per class = few, 256 = many
        return Gain(mean, (1 - share) * few + share * many)

    def doubled(self, situation: Situation) -> float:
        """What the probe gains per doubling of the labels: its own curve and the usual one, half and half."""
        usual = self.anchor["slope"] * (1 - situation.reached)
        return usual if situation.slope is None else (usual + max(situation.slope, 0.0)) / 2


RULES = Prior({}, {}, {}, {"shift": 0.0, "spread": 0.02, "slope": 0.06, "probe_noise": 1.5, "width": 1.0})


@cache
def shipped_prior() -> Prior:
    """The learned prior that comes with the package, if it is better than the fixed rules; else those."""
    data = json.loads((files("regraft.recommending") / "prior.json").read_text(encoding="utf-8"))
    return prior_from_json(data) if data.get("used") else RULES


def prior_from_json(data: Mapping[str, Any]) -> Prior:
    """The prior that `benchmarks/verdict/verdict.py fit` wrote."""
    names = ("strategies", "centre", "scale", "anchor", "most_per_class", "most_samples", "made_by", "evaluation")
    return Prior(**{name: data[name] for name in names})


__all__ = [
    "PARTIAL",
    "PROBE",
    "PROBE_ALL",
    "PROBE_EARLIER",
    "RULES",
    "SCRATCH",
    "Gain",
    "Prior",
    "prior_from_json",
    "shipped_prior",
]
