"""What the measurements say of one task on one backbone, as the few numbers that a choice rests on."""

import math
from dataclasses import dataclass, replace

from regraft.core import Evidence, Measurement, TaskSummary

Z80 = 1.2816  # standard normal: 80 % lies within this many standard deviations
FEW = 50  # samples per class: up to it the classical rules speak of few
FAR = 0.5  # similarity/distance: above it they speak of a far domain
CLASSIFIED = ("image-classification", "text-classification")

# An accuracy is between chance and 1: what is expected of a probe before anything is measured, and how sure that is.
BLIND_SHARE, BLIND_SPREAD = 0.6, 0.2


@dataclass(frozen=True)
class Situation:
    """One task on one backbone.

    Attributes:
        summary: Counts of the task.
        labels: Labelled samples that a solved head learns from in the end: training and validation part.
        evidence: What was measured.
        stages: Names of the stages.
    """

    summary: TaskSummary
    labels: int
    evidence: Evidence

    @property
    def stages(self) -> tuple[str, ...]:
        """Names of the backbone's stages, input side first."""
        return tuple(stage.name for stage in self.evidence.outline)

    @property
    def classified(self) -> bool:
        """Whether a sample has one class: tags and answers have classes too, and their metric knows no chance."""
        return self.summary.kind in CLASSIFIED

    @property
    def per_class(self) -> float:
        """Training samples per class; of a task without classes, a tenth of all."""
        return self.summary.samples / max(self.summary.classes, 1 if self.summary.classes else 10)

    @property
    def probe(self) -> Measurement | None:
        """The cross-validated probe of the last stage; of tasks without one, the frozen trunk's own trial."""
        return self.evidence.get(f"probe/{self.stages[-1]}") or self.evidence.get("trial/feature-extraction")

    @property
    def learnt_from(self) -> float:
        """How many samples that probe has learnt from."""
        if self.evidence.get(f"probe/{self.stages[-1]}") is None:
            trial = self.evidence.get("trial-samples/feature-extraction")
            return self.summary.samples if trial is None else trial.value
        measured = self.evidence.get("profile/measured")
        return 0.8 * min(self.summary.samples, self.summary.samples if measured is None else measured.value)

    @property
    def reached(self) -> float:
        """What the probe of the last stage reaches; a guess between chance and 1 where none was measured."""
        if self.probe is not None:
            return self.probe.value
        chance = 1 / self.summary.classes if self.classified and self.summary.classes else 0.0
        return chance + BLIND_SHARE * (1 - chance)

    @property
    def spread(self) -> float:
        """Standard deviation of `reached`."""
        return BLIND_SPREAD if self.probe is None else deviation(self.probe)

    @property
    def distance(self) -> float | None:
        """From the backbone's source: 0 near to 1 far; None where it was not measured."""
        found = self.evidence.get("similarity/distance")
        return None if found is None or math.isnan(found.value) else found.value

    @property
    def far(self) -> bool | None:
        """Whether the domain is far, by distance; without one, whether an earlier stage serves the task best."""
        if self.distance is not None:
            return self.distance > FAR
        gain = self.evidence.get("headroom/stage")  # paired, so that the best of many stages is not best by chance
        return None if gain is None else gain.low > 0

    @property
    def few(self) -> bool:
        """Whether there are few labels."""
        return self.per_class <= FEW

    @property
    def all_gain(self) -> float:
        """What a probe of all stages gains over one of the last."""
        return self.stage_gain("all")

    @property
    def best_earlier(self) -> str | None:
        """The earlier stage with the best probe."""
        probes = {name: self.evidence.get(f"probe/{name}") for name in self.stages[:-1]}
        known = {name: one.value for name, one in probes.items() if one is not None}
        return max(known, key=lambda name: known[name]) if known else None

    @property
    def earlier_gain(self) -> float:
        """What the best earlier stage's probe gains over the last one's; below 0 where the last is best."""
        best = self.best_earlier
        return 0.0 if best is None else self.stage_gain(best)

    @property
    def slope(self) -> float | None:
        """What the probe gains per doubling of the labels, by its learning curve; None without one."""
        curve = sorted((float(name), one.value) for name, one in self.evidence.under("curve").items())
        if len(curve) < 2 or curve[0][0] <= 0:
            return None
        (few, low), (many, high) = curve[0], curve[-1]
        return (high - low) / math.log2(many / few) if many > few else None

    def had_probe_reached(self, value: float) -> "Situation":
        """The same situation, had the last stage's probe reached this and the others as much more: with fewer samples, say."""
        moved = value - self.reached
        probes = ("probe/", "trial/feature-extraction")
        measurements = [
            Measurement(one.name, one.value + moved) if one.name.startswith(probes) else one for one in self.evidence
        ]
        if self.probe is None:
            measurements.append(Measurement(f"probe/{self.stages[-1]}", value))
        return replace(self, evidence=replace(self.evidence, measurements=tuple(measurements)))

    def stage_gain(self, stage: str) -> float:
        """What a probe of another stage, or of `all`, gains over one of the last; 0 where it was not measured."""
        found = self.evidence.get(f"probe/{stage}")
        return 0.0 if found is None or self.probe is None else found.value - self.probe.value

    def numbers(self, samples: float | None = None) -> dict[str, float]:
        """The features of the learned prior, by name.

        Args:
            samples: Of the training part; None = all there are. Fewer for a trial on a piece of it.
        """
        count = math.log2(max(self.summary.samples if samples is None else samples, 1))
        missing = 1 - self.reached
        return {
            "samples": count,
            "missing": missing,
            "missing_samples": missing * count,
            "all_gain": self.all_gain,
            "all_gain_samples": self.all_gain * count,
        }


def deviation(one: Measurement, otherwise: float = 0.05) -> float:
    """Standard deviation behind a measurement's 80 % interval."""
    width = one.high - one.low
    return otherwise if math.isnan(width) else max(width / (2 * Z80), 0.002)
