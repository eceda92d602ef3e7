"""Why, in sentences that cite measurements."""

import math
from collections.abc import Sequence

from regraft.core import Measurement
from regraft.core.words import metric_said, points, seconds_said
from regraft.recommending.estimate import Estimate
from regraft.recommending.offers import PROBE
from regraft.recommending.ranking import tied
from regraft.recommending.situation import Situation

MUCH_CHEAPER = 0.2  # share of the first choice's time
UNEVEN, REPEATED = 10.0, 0.1  # largest class over smallest, and share of near repeats, from which on they are told


def offer_said(one: Estimate) -> str:
    """An offer as a person calls it."""
    offer = one.offer
    if offer.strategy == PROBE and offer.boundary == "all":
        return "a probe of all stages"
    if offer.strategy == PROBE:
        return f"a probe of {'the last stage' if offer.usual else f'stage {offer.boundary}'}"
    if offer.boundary == "none":
        return offer.strategy
    return f"{offer.strategy} after {offer.boundary}"


def choice_reasons(one: Estimate, situation: Situation, metric: str) -> tuple[str, ...]:
    """Where one offer's figures come from."""
    said = f"Expected {metric_said(metric)} {one.expected:.3f}, 80 % interval {one.low:.3f} to {one.high:.3f}."
    found = [said]
    if one.offer.strategy == PROBE and one.offer.usual:
        found.append(_probe_said(situation))
    elif one.measured is None:
        found.append(
            f"Not tried here: by {one.belief} it is {_than_probe(one.gain)}, give or take "
            f"{points(one.gain_spread)} points."
        )
    else:
        found.append(_measured_said(one, one.measured))
    found.append(f"Predicted time of fit on this machine: {seconds_said(one.cost_seconds)}.")
    return tuple(found)


def recommendation_reasons(
    order: Sequence[Estimate], situations: Sequence[Situation], situation: Situation, metric: str
) -> tuple[str, ...]:
    """Why the first is first.

    Args:
        order: All estimates, ranked.
        situations: Of all backbones.
        situation: Of the first one's backbone.
        metric: The task's.
    """
    first = order[0]
    found = [_labels_said(situation), *_quality_said(situation, metric), _probe_said(situation)]
    found += _backbones_said(first, situations)
    found += _stages_said(situation)
    found += _first_said(first, order, metric)
    found += _scratch_said(order, first)
    return tuple(found)


def _labels_said(situation: Situation) -> str:
    summary = situation.summary
    said = f"There are {summary.samples} training samples"
    said += f", about {situation.per_class:.0f} of each of {summary.classes} classes" if situation.classified else ""
    if situation.distance is None:
        return f"{said}; {_affinity_said(situation)}"
    reading = (
        "near" if situation.distance < 1 / 3 else "far" if situation.distance > 2 / 3 else "at a middling distance"
    )
    return (
        f"{said}; their domain is {reading} from what {situation.evidence.backbone} was pre-trained on "
        f"(similarity/distance {situation.distance:.2f}, 0 near, 1 far)."
    ).replace("near from", "near")


def _quality_said(situation: Situation, metric: str) -> list[str]:
    """What of the data makes the figures mean less than they seem to."""
    values = {name: one.value for name, one in situation.evidence.under("profile").items()}
    found = []
    if values.get("imbalance", 1.0) >= UNEVEN and metric == "accuracy":
        found.append(
            f"The largest class has {values['imbalance']:.0f} times as many samples as the smallest (profile/imbalance), and "
            "accuracy counts every sample alike: look at macro-F1 too."
        )
    if values.get("duplicates", 0.0) >= REPEATED:
        found.append(
            f"{100 * values['duplicates']:.0f} % of the training samples nearly repeat another (profile/duplicates): there is "
            "less to learn from than their number says."
        )
    return found


def _affinity_said(situation: Situation) -> str:
    """Without a distance from the source: what the trunk's features find that the raw input does not show."""
    found = situation.evidence.get("similarity/affinity")
    if found is None:
        return f"how far they are from what {situation.evidence.backbone} was pre-trained on was not measured."
    return (
        f"a probe of the trunk's features reaches {_against(found.value)} a probe of the raw input "
        "(similarity/affinity): so much does pre-training know of such data."
    )


def _probe_said(situation: Situation) -> str:
    probe = situation.probe
    if probe is None:
        return (
            "No probe was measured, for want of time or of two samples of a class, so that all figures are rules of thumb with "
            "wide intervals."
        )
    if probe.name.startswith("trial/"):
        return f"A head on the frozen trunk reaches {probe.value:.3f}{_interval_said(probe)}: {probe.source}."
    said = f"A linear probe of the last stage, {situation.stages[-1]}, reaches {probe.value:.3f} in cross-validation"
    said += _interval_said(probe)
    train = situation.evidence.get(f"probe-train/{situation.stages[-1]}")
    if train is None:
        return f"{said}."
    return f"{said}; on the samples it learns from {train.value:.3f}."


def _stages_said(situation: Situation) -> list[str]:
    """What earlier stages and all of them are worth."""
    best, found = situation.best_earlier, []
    if situation.probe is None or best is None:
        return []
    if situation.earlier_gain > 0:
        gain = situation.evidence.get("headroom/stage")
        surely = "better than" if gain is not None and gain.low > 0 else "about as well as"
        earlier = situation.reached + situation.earlier_gain
        found.append(
            f"The earlier stage {best} serves the task {surely} the last one: its probe reaches {earlier:.3f}."
        )
    if abs(situation.all_gain) >= 0.001:
        found.append(
            f"A probe of all stages together reaches {_against(situation.all_gain)} that of the last stage alone."
        )
    return found


def _backbones_said(first: Estimate, situations: Sequence[Situation]) -> list[str]:
    """How the backbones compare by their probes."""
    if len(situations) < 2:
        return []
    others = ", ".join(
        f"{one.evidence.backbone} {one.reached:.3f}" if one.probe else f"{one.evidence.backbone} not probed"
        for one in sorted(situations, key=lambda one: -one.reached)
    )
    said = f"Of {len(situations)} backbones, {first.offer.backbone} is expected to serve best; probes: {others}"
    scored = {one.evidence.backbone: one.evidence.get("score/logme") for one in situations}
    known = {name: score.value for name, score in scored.items() if score is not None}
    if len(known) < len(situations):
        return [f"{said}."]
    second = max(known, key=lambda name: known[name])
    agreed = "the same" if second == first.offer.backbone else f"not so: it prefers {second}"
    return [f"{said}. A second opinion, LogME, says {agreed}."]


def _first_said(first: Estimate, order: Sequence[Estimate], metric: str) -> list[str]:
    """The choice itself, against the best expected and the cheapest."""
    name = offer_said(first)
    found = [
        f"The first of the ranking, {name}, is expected to reach {metric_said(metric)} {first.expected:.3f} "
        f"(80 % interval {first.low:.3f} to {first.high:.3f}) in about {seconds_said(first.cost_seconds)}."
    ]
    if first.measured is not None:
        found.append(_measured_said(first, first.measured))
    best = max(order, key=lambda one: one.expected)
    if best is not first:
        found.append(
            f"Tie: take the cheaper. {offer_said(best)} is expected to reach {best.expected:.3f}, which is not worth "
            f"{seconds_said(best.cost_seconds)} instead of {seconds_said(first.cost_seconds)}."
        )
    else:
        cheap = _much_cheaper(first, order)
        rivals = [one for one in order[1:] if tied(best, one)]
        if rivals and first.cost_seconds <= min(one.cost_seconds for one in rivals):
            found.append(f"It is the cheapest of {len(rivals) + 1} that are expected to do equally well.")
        elif rivals:
            found.append(
                f"It is expected to do as well as {len(rivals)} more or slightly better; none of them saves enough time."
            )
        elif cheap is not None:
            found.append(
                f"Much cheaper: {offer_said(cheap)} takes {seconds_said(cheap.cost_seconds)} and is expected to reach "
                f"{cheap.expected:.3f}, {points(first.expected - cheap.expected)} points less than the first."
            )
    return found


def _much_cheaper(first: Estimate, order: Sequence[Estimate]) -> Estimate | None:
    """The best of those that take a small part of the first one's time."""
    cheap = [one for one in order if one.cost_seconds <= MUCH_CHEAPER * first.cost_seconds]
    return max(cheap, key=lambda one: one.expected, default=None)


def _scratch_said(order: Sequence[Estimate], first: Estimate) -> list[str]:
    """What pre-training is expected to be worth."""
    mine = (one for one in order if one.offer.backbone == first.offer.backbone)
    scratch = next((one for one in mine if one.offer.strategy == "from-scratch"), None)
    if scratch is None or scratch is first:
        return []
    ground = "" if scratch.measured is not None else f", by {scratch.belief}"
    worth = first.expected - scratch.expected
    said = (
        f"worth about {points(worth)} points here"
        if worth > 0
        else f"not worth anything here ({points(worth, signed=True)} points)"
    )
    return [
        f"From scratch the same network is expected to reach {scratch.expected:.3f}{ground}: pre-training is {said}."
    ]


def _measured_said(one: Estimate, measured: Measurement) -> str:
    if measured.name.startswith("probe/"):
        return (
            f"Its cross-validated probe reaches {measured.value:.3f}{_interval_said(measured)}; with {one.belief}, it is "
            f"expected to be {_than_probe(one.gain)}."
        )
    return (
        f"Tried on a piece of the training part, it was {_than_probe(measured.value)} "
        f"(80 % interval {points(measured.low, signed=True)} to {points(measured.high, signed=True)} points; {measured.source}); "
        f"with {one.belief}, {points(one.gain, signed=True)} points are expected."
    )


def _against(gain: float) -> str:
    """`3.2 points more than`, `1.0 points less than`, `as much as`."""
    return "as much as" if abs(gain) < 0.0005 else f"{points(gain)} points {'more' if gain > 0 else 'less'} than"


def _than_probe(gain: float) -> str:
    """A gain over the probe in words."""
    if abs(gain) < 0.0005:
        return "equal to the probe of the last stage"
    return f"{points(gain)} points {'better' if gain > 0 else 'worse'} than the probe of the last stage"


def _interval_said(one: Measurement) -> str:
    return "" if math.isnan(one.low) else f" (80 % interval {one.low:.3f} to {one.high:.3f})"
