"""From a task and backbones to a recommendation within a time budget: measure, foresee costs, race, choose."""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from regraft.backbones.contract import Backbone
from regraft.core import Evidence, Measurement, Plan, Recommendation, Task
from regraft.core.words import seconds_said
from regraft.measuring.cost import Counts, Speed, measured_speed, predicted_seconds
from regraft.measuring.measure import measure
from regraft.measuring.racing import Race, raced
from regraft.measuring.trials import Ground, ground_for
from regraft.recommending import Offer, contenders, offers_for, recommend
from regraft.recommending.offers import PROBE
from regraft.recommending.situation import Situation, deviation
from regraft.running import resolve_device
from regraft.running.resources import Resources
from regraft.strategies import Settings, strategy_named
from regraft.strategies.applying import applicable

Report = Callable[[str, int, int], None]

BUDGET_SECONDS = 120.0
MEASURE_SHARE = 0.6  # of the budget, for measurements without training; the rest is for trials
FEWEST_SECONDS = 5.0  # to measure a backbone in: with less of it for each, the statically best are taken
LATE_SHARE = 0.25  # of its time, what a backbone gets once more where that was too short for a probe
FEWEST_SAMPLES = 64
MOST_RACED = 2  # backbones whose strategies are tried


@dataclass(frozen=True)
class _Measured:
    """A backbone with what is known of it."""

    trunk: Backbone
    evidence: Evidence
    speed: Speed
    offers: tuple[Offer, ...]
    probe: Offer | None
    situation: Situation


def advise(
    task: Task,
    trunks: Sequence[Backbone],
    *,
    settings: Settings | None = None,
    resources: Resources | None = None,
    budget_seconds: float = BUDGET_SECONDS,
    always: Sequence[str] = (),
    progress: Report | None = None,
) -> Recommendation:
    """Which strategy on which backbone, and why.

    Args:
        task: What `open_task` returned; only its training part is looked at.
        trunks: Loaded backbones; they are left as they were. One that is named twice is looked at once.
        settings: What is fixed already.
        resources: Device, precision, cache.
        budget_seconds: Wall time, about: with little of it intervals are wider, but there is always an answer.
        always: Strategies to try even where the prior gives them no chance.
        progress: Called with (what, done, total).
    """
    settings = settings or Settings()
    with (resources or Resources()).kept(settings.cache is not False) as place:
        return _advised(task, trunks, settings, place, budget_seconds, always, progress)


def _advised(
    task: Task,
    trunks: Sequence[Backbone],
    settings: Settings,
    resources: Resources,
    budget_seconds: float,
    always: Sequence[str],
    progress: Report | None,
) -> Recommendation:
    begun = time.perf_counter()
    device = resolve_device(resources.device)
    affordable = max(int(MEASURE_SHARE * budget_seconds / FEWEST_SECONDS), 1)
    named: dict[str, Backbone] = {}
    for trunk in trunks:
        named.setdefault(trunk.passport.source, trunk)
    chosen = shortlist(list(named.values()), affordable)
    measured = []
    for number, trunk in enumerate(chosen):
        left = MEASURE_SHARE * budget_seconds - (time.perf_counter() - begun)
        share = max(left / (len(chosen) - number), 1.0)
        measured.append(_measured(task, trunk, settings, resources, device, share, progress))
    for number, one in enumerate(rivals := _rivals(measured)):
        left = budget_seconds - (time.perf_counter() - begun)
        trials = _trials(task, one, resources, device, left / (len(rivals) - number), always, progress)
        measured[measured.index(one)] = replace(one, evidence=_with(one.evidence, trials))
    speeds = {one.evidence.backbone: one.speed for one in measured}
    stored = {one.evidence.backbone: _stored(one.evidence) for one in measured}
    advice = recommend(
        task.summary(),
        task.metric,
        len(task.train) + len(task.validation),
        [one.evidence for one in measured],
        [offer for one in measured for offer in one.offers],
        lambda offer: predicted_seconds(offer.plan, speeds[offer.backbone], Counts.of(task, stored[offer.backbone])),
        seconds=time.perf_counter() - begun,
    )
    looked_at = {one.evidence.backbone for one in measured}
    said = [
        *_unseen_said([name for name in named if name not in looked_at], budget_seconds),
        *_unmeasured_said(advice.evidence),
    ]
    return replace(advice, reasons=(*advice.reasons, *said))


def _unseen_said(unseen: Sequence[str], budget_seconds: float) -> list[str]:
    """Which backbones the budget left out."""
    if not unseen:
        return []
    return [
        f"A budget of {seconds_said(budget_seconds)} is too small to look at {', '.join(unseen)} as well: the largest backbones "
        "are looked at first, and a larger --budget looks at more."
    ]


def _unmeasured_said(evidence: Sequence[Evidence]) -> list[str]:
    """Why distances that could have been measured were not."""
    found = [(one.backbone, one.get("similarity/frechet")) for one in evidence]
    return [f"{name}: {one.source}." for name, one in found if one is not None and math.isnan(one.value)]


def shortlist(trunks: Sequence[Backbone], most: int) -> list[Backbone]:
    """At most so many, the largest first where some must go.

    Without a look at the data, size ranks pretrained networks about as well as the published scores do (weighted rank
    correlation 0.65 on 11 networks and 11 tasks, against 0.41 to 0.71: Shao 2022's tables).
    """
    if len(trunks) <= most:
        return list(trunks)
    kept = sorted(trunks, key=lambda trunk: -trunk.outline.parameters)[:most]
    return [trunk for trunk in trunks if any(trunk is one for one in kept)]


def _measured(
    task: Task,
    trunk: Backbone,
    settings: Settings,
    resources: Resources,
    device: str,
    seconds: float,
    progress: Report | None,
) -> _Measured:
    """Evidence without training, and how fast this trunk is here."""
    begun = time.perf_counter()
    # First of all: it refuses what no strategy can do, before minutes of measuring.
    offers = offers_for(trunk.passport.source, trunk.outline, task.summary(), settings)
    speed = measured_speed(trunk, task, device, resources.precision)
    left = max(seconds - (time.perf_counter() - begun), 1.0)
    evidence = measure(task, trunk, resources=resources, budget_seconds=left, seed=settings.seed, progress=progress)
    if evidence.get(f"probe/{trunk.outline.stages[-1].name}") is None:
        # The features have taken all the time. They are stored now, and a choice without a probe is a guess.
        evidence = measure(
            task,
            trunk,
            resources=resources,
            budget_seconds=max(LATE_SHARE * seconds, 1.0),
            most_samples=max(_stored(evidence), FEWEST_SAMPLES),
            seed=settings.seed,
            progress=progress,
        )
    probe = _last_stage_probe(trunk, evidence.backbone, task, settings)
    labels = len(task.train) + len(task.validation)
    return _Measured(trunk, evidence, speed, offers, probe, Situation(task.summary(), labels, evidence))


def _last_stage_probe(trunk: Backbone, backbone: str, task: Task, settings: Settings) -> Offer | None:
    """What trials are held against, whatever is fixed for others: expected results are gains over this probe."""
    free = applicable(PROBE, replace(settings, boundary=None, head=None), task.kind)
    offers = offers_for(backbone, trunk.outline, task.summary(), free)
    return next((offer for offer in offers if offer.strategy == PROBE and offer.usual), None)


def _rivals(measured: Sequence[_Measured]) -> list[_Measured]:
    """The backbone with the best probe, and the next where the probes cannot tell them apart."""
    order = sorted(measured, key=lambda one: -one.situation.reached)
    best = order[0].situation
    spread = 0.05 if best.probe is None else deviation(best.probe)
    return [one for one in order[:MOST_RACED] if best.reached - one.situation.reached <= 2 * spread]


def _trials(
    task: Task,
    one: _Measured,
    resources: Resources,
    device: str,
    seconds: float,
    always: Sequence[str],
    progress: Report | None,
) -> list[Measurement]:
    """Raced trials of the strategies that may be worth it."""
    grounds: dict[int | None, Ground] = {}
    seed = one.offers[0].settings.seed

    def ground_of(samples: int | None) -> Ground:
        if samples not in grounds:
            grounds[samples] = ground_for(
                task, samples, one.trunk, resources.store(), device, resources.precision, seed
            )
        return grounds[samples]

    def plan_of(offer: Offer, ground: Ground) -> Plan:
        plan = strategy_named(offer.strategy).plan(one.trunk.outline, ground.task.summary(), offer.settings)
        plan.check(one.trunk.outline)
        return plan

    if one.probe is None or seconds <= 0:
        return []
    forced = [offer for offer in one.offers if offer.strategy in always and offer.usual]
    hopeful = [offer for offer in contenders(one.offers, one.situation) if offer not in forced]
    return raced(Race(ground_of, one.probe, [*forced, *hopeful], plan_of, one.speed, seconds, progress))


def _with(evidence: Evidence, more: Sequence[Measurement]) -> Evidence:
    return replace(evidence, measurements=(*evidence.measurements, *more))


def _stored(evidence: Evidence) -> int:
    """Samples whose pooled features were stored while measuring."""
    found: Mapping[str, Measurement] = evidence.under("profile")
    samples = found.get("measured")
    return 0 if samples is None else int(samples.value)


__all__ = ["BUDGET_SECONDS", "advise", "shortlist"]
