"""A strategy trained and measured once, and kept by content so that it never runs twice."""

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from regraft import api
from regraft.backbones.contract import Backbone
from regraft.comparing.energy import Meter, assumed_watts
from regraft.comparing.parts import Part
from regraft.core import Plan, Split, Step, Task
from regraft.evaluating.bootstrap import RESAMPLES
from regraft.evaluating.metrics import CalibrationBin
from regraft.forgetting import Forgotten
from regraft.model import Model
from regraft.running import resolve_device
from regraft.strategies import strategy_named
from regraft.strategies.applying import Arm
from regraft.tasks import Documents

FORMAT = 5  # of a trial's file, raised too where the same plan gives other results; another format is computed anew


@dataclass(frozen=True)
class ForgettingPoint:
    """Tuned and pretrained weights mixed, `alpha` of the tuned ones: metrics on the target and on the source.

    Attributes:
        alpha: 0 = pretrained, 1 = tuned.
        target: Validation accuracy of a head solved on that trunk; None where samples have no classes.
        source: Accuracy of the original head on source data, or its perplexity.
        lost: How much worse than at 0, as a share.
    """

    alpha: float
    target: float | None
    source: float
    lost: float


@dataclass(frozen=True)
class Trial:
    """One strategy, once.

    Attributes:
        strategy: Its name as it was asked for: `lp-ft`, or with a boundary of its own `partial-fine-tuning@layer3`.
        boundary: The last frozen stage, or what a solved head reads: as `Plan.boundary` says.
        shots: Training samples per class, or `all`.
        seed: Of the run.
        metric: The task's metric on the test part.
        validation: The same on the validation part; NaN without one.
        labels: Labelled samples used, validation included.
        draws: The metric on every resample of the test part, R values; trials on one test part are paired by them.
        seconds: Wall time of training with the evaluation that chooses; without the test part.
        training_seconds: Wall time without evaluation; activations that were in the store already count with what they
            took when they were computed, so that no strategy looks cheap by what another one has paid.
        trainable_parameters: How many.
        plan: What was run.
        stages: Names of the trunk's stages.
        steps: What was done.
        confusion: (C, C) counts on the test part, row = true class; empty where there are no classes.
        calibration: Bins of the reliability diagram; empty without class probabilities.
        watts: What an estimate of energy assumes.
        measured_joules: Of the processor in the seconds of training, without activations that were in the store already;
            None where the machine does not tell it, or another device did the work.
        forgetting: Of the way from pretrained to tuned weights; empty where no source task was given.
        held_out: What was lost at its end, on the half of the source samples that the curve is not measured on; None
            without such a way.
    """

    strategy: str
    boundary: str
    shots: str
    seed: int
    metric: float
    validation: float
    labels: int
    draws: tuple[float, ...] = field(repr=False)
    seconds: float
    training_seconds: float
    trainable_parameters: int
    plan: Plan = field(repr=False)
    stages: tuple[str, ...] = field(repr=False)
    steps: tuple[Step, ...] = field(default=(), repr=False)
    confusion: tuple[tuple[int, ...], ...] = field(default=(), repr=False)
    calibration: tuple[CalibrationBin, ...] = field(default=(), repr=False)
    watts: float = 0.0
    measured_joules: float | None = None
    forgetting: tuple[ForgettingPoint, ...] = field(default=(), repr=False)
    held_out: Forgotten | None = None

    @property
    def stored_seconds(self) -> float:
        """What of `training_seconds` was not spent here: activations that were in the store already."""
        return sum(step.stored_seconds for step in self.steps)

    def to_json(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {**asdict(self), "plan": self.plan.to_json(), "format": FORMAT}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Trial":
        """The trial that `to_json` wrote.

        Raises:
            ValueError: Another version wrote it, or something of it is missing.
        """
        if data.get("format") != FORMAT or len(data.get("draws", ())) != RESAMPLES:
            raise ValueError(f"not a trial of format {FORMAT}")
        rest, held = {key: value for key, value in data.items() if key != "format"}, data["held_out"]
        return cls(
            **{
                **rest,
                "draws": tuple(map(float, data["draws"])),
                "plan": Plan.from_json(data["plan"]),
                "stages": tuple(data["stages"]),
                "steps": tuple(Step(**step) for step in data["steps"]),
                "confusion": tuple(map(tuple, data["confusion"])),
                "calibration": tuple(CalibrationBin(**one) for one in data["calibration"]),
                "forgetting": tuple(ForgettingPoint(**one) for one in data["forgetting"]),
                "held_out": None if held is None else Forgotten(**held),
            }
        )


@dataclass(frozen=True)
class Bench:
    """What all trials of a comparison share.

    Attributes:
        backbone: As `--backbone` takes it.
        trunk: That backbone; it is never trained.
        settings: For every trial; a strategy takes those it has a use for.
        resources: Device, precision, cache.
        folder: Where trials are kept.
        exact: The settings are meant for the one strategy that will be run: what it has no use for is an error.
        source: Data of what the backbone was pre-trained on; None = forgetting is not measured.
    """

    backbone: str
    trunk: Backbone
    settings: api.Settings
    resources: api.Resources
    folder: Path
    exact: bool = False
    source: Task | Documents | None = None

    def plan(self, strategy: str, part: Part) -> Plan:
        """What a trial runs; no weights are loaded for it."""
        plan = strategy_named(Arm.named(strategy).strategy).plan(
            self.trunk.outline, part.task.summary(), self._settings(strategy, part)
        )
        plan.check(self.trunk.outline)
        return plan

    def file(self, strategy: str, part: Part) -> Path:
        """Where a trial is kept: its name says the plan, the network, the data, the precision and the device."""
        identity = [
            FORMAT,
            self.plan(strategy, part).to_json(),
            self.trunk.passport.source,
            self.trunk.passport.sha256,
            self.trunk.settings,  # weights alone do not tell all that a network computes, nor what it is given
            self.trunk.preprocess.fingerprint,
            part.content,
            part.task.metric,
            self.resources.precision,
            resolve_device(self.resources.device),
            None if self.source is None else self.source.fingerprint,
        ]
        return self.folder / f"{hashlib.sha256(json.dumps(identity).encode()).hexdigest()}.json"

    def kept(self, strategy: str, part: Part) -> Trial | None:
        """The trial as it ran before; None if it did not, or if its file is damaged."""
        try:
            trial = Trial.from_json(json.loads(self.file(strategy, part).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return None
        # The same samples may have been asked for by another number, the same plan by another name.
        return replace(trial, strategy=strategy, shots=part.shots)

    def run(self, strategy: str, part: Part) -> Trial:
        """Train, measure and keep."""
        trial = self._measured(strategy, part)
        file = self.file(strategy, part)
        draft = file.with_suffix(".draft")
        draft.write_text(json.dumps(trial.to_json()), encoding="utf-8")
        draft.replace(file)
        return trial

    def _settings(self, strategy: str, part: Part) -> api.Settings:
        seeded = replace(self.settings, seed=part.seed)
        return seeded if self.exact else Arm.named(strategy).settings(seeded, part.task.kind)

    def _measured(self, strategy: str, part: Part) -> Trial:
        task = part.task
        named = Arm.named(strategy).strategy
        prepared = api.prepare(task, named, self.backbone, self._settings(strategy, part), self.resources)
        test: Split = task.splits["test"]
        # The test part is measured here, once, with its draws: fitting does not see it.
        learnt = replace(task, splits={name: split for name, split in task.splits.items() if name != "test"})
        device, meter = resolve_device(self.resources.device), Meter()
        # By steps: what follows the last of them, such as the curve of forgetting, is no part of training.
        model = api.fit(
            learnt,
            prepared,
            resources=self.resources,
            budget=self._budget(prepared.plan),
            on_step=lambda _: meter.lap(),
        )
        plan, outline = model.run.plan, prepared.outline
        unchanged = plan.start == "pretrained" and plan.frozen(outline) == len(outline)
        found = model.evaluate(test, store=self.resources.store() if unchanged else None)
        spent = model.run.seconds
        return Trial(
            strategy=strategy,
            boundary=plan.boundary(outline),
            shots=part.shots,
            seed=part.seed,
            metric=float(found.metrics[task.metric]),
            validation=_validation(model, task.metric),
            labels=part.labels,
            draws=tuple(found.draws[task.metric].tolist()),
            seconds=spent["total"] - spent.get("forgetting", 0.0),
            training_seconds=spent["features"]
            + spent["training"]
            + sum(step.stored_seconds for step in model.run.steps),
            trainable_parameters=model.trainable_parameters,
            plan=plan,
            stages=tuple(stage.name for stage in outline),
            steps=model.run.steps,
            confusion=tuple(map(tuple, found.confusion)),
            calibration=found.calibration,
            watts=assumed_watts(device),
            measured_joules=meter.joules if device == "cpu" else None,
            forgetting=_curve(model),
            held_out=_held_out(model),
        )

    def _budget(self, plan: Plan) -> api.SourceBudget | None:
        """What is measured of forgetting; random weights know no source."""
        return None if self.source is None or plan.start == "random" else api.SourceBudget(self.source)


def _curve(model: Model) -> tuple[ForgettingPoint, ...]:
    curve = [] if model.forgetting is None else model.forgetting["curve"]
    return tuple(ForgettingPoint(**point) for point in curve)


def _held_out(model: Model) -> Forgotten | None:
    if model.forgetting is None:
        return None
    return Forgotten(**model.forgetting["held_out"])


def _validation(model: Model, metric: str) -> float:
    return float(model.results.get("validation", {}).get(metric, math.nan))
