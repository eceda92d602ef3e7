"""From evidence to an expected result with an 80 % interval, for every offer."""

import math
from dataclasses import dataclass

from regraft.core import Measurement
from regraft.recommending.offers import PROBE, Offer
from regraft.recommending.prior import Gain, Prior
from regraft.recommending.situation import Z80, Situation, deviation

# How far the gain on a piece of the training part is from that on all of it: at least, and on a very small piece. With these,
# sixteen trials of `benchmarks/verdict/gather.py --raced` predicted test results best.
TRIAL_SPREAD, PIECE_SPREAD = 0.012, 0.09
PAIRED = 0.6  # correlation of two probes' errors on the same samples: their difference is surer than either


@dataclass(frozen=True)
class Estimate:
    """What an offer is expected to reach.

    Attributes:
        offer: What would be run.
        expected: Of the task's metric on unseen samples.
        low: Of its 80 % interval.
        high: Of the same.
        gain: Over the probe of the last stage of the same backbone.
        gain_spread: Its standard deviation.
        measured: The measurement that the gain rests on beside the prior: a trial or a probe; None = the prior alone.
        cost_seconds: Predicted wall time of `fit`.
        belief: What the prior rests on, in words.
    """

    offer: Offer
    expected: float
    low: float
    high: float
    gain: float
    gain_spread: float
    measured: Measurement | None
    cost_seconds: float
    belief: str


def estimated(offer: Offer, situation: Situation, prior: Prior, cost_seconds: float) -> Estimate:
    """The offer's expected result: the probe's, carried to all labels, and the gain over it."""
    prior = prior.at(situation)
    base, base_spread = anchor(situation, prior)
    gain, measured = gained(offer, situation, prior)
    expected = base + gain.mean
    reach = Z80 * prior.anchor["width"] * math.hypot(base_spread, gain.spread)
    low, high = max(expected - reach, _least(situation)), min(expected + reach, 1.0)
    expected = min(max(expected, low), high)
    return Estimate(offer, expected, low, high, gain.mean, gain.spread, measured, cost_seconds, prior.belief)


def anchor(situation: Situation, prior: Prior) -> tuple[float, float]:
    """What a probe of the last stage reaches with all labels, and its standard deviation.

    Cross-validation learns from four fifths of the training part; the head that `fit` keeps learns from all of it and
    from the validation part. The probe's learning curve bridges the two.
    """
    more = max(situation.labels, 1) / max(situation.learnt_from, 1)
    step = prior.doubled(situation) * math.log2(max(more, 1.0))
    mean = min(situation.reached + step + prior.anchor["shift"], 1.0)
    return mean, math.sqrt(situation.spread**2 + prior.anchor["spread"] ** 2 + (step / 2) ** 2)


def gained(offer: Offer, situation: Situation, prior: Prior) -> tuple[Gain, Measurement | None]:
    """The gain over the probe: the prior, corrected by what was measured of this very offer."""
    trial = situation.evidence.get(f"trial-gain/{offer.arm}")
    if trial is not None:
        return _by_trial(offer, situation, prior, trial), trial
    return _probed(offer, situation, prior) or (prior.gain(offer, situation), None)


def _by_trial(offer: Offer, situation: Situation, prior: Prior, trial: Measurement) -> Gain:
    """The gain, corrected by how far the prior was off on the piece that the trial has learnt from.

    What is gained there is a part of what the probe lacked there. With all samples it lacks less, so that the correction
    shrinks in the same proportion: 20 points where 40 are missing are 10 where 20 are.
    """
    piece = situation.evidence.get(f"trial-samples/{offer.arm}")
    own = situation.evidence.get(f"trial/{offer.arm}")
    size = situation.summary.samples if piece is None else int(piece.value)
    there, shrunk = situation, 1.0
    if own is not None and piece is not None:
        probe = own.value - trial.value  # on the same piece
        there = situation.had_probe_reached(probe)
        shrunk = min((1 - situation.reached) / max(1 - probe, 0.01), 1.0)
    believed_there = prior.gain(offer, there, size)
    left_out = max(1 - size / max(situation.summary.samples, 1), 0.0)
    noise = math.hypot(deviation(trial), TRIAL_SPREAD, PIECE_SPREAD * math.sqrt(left_out))
    weight = believed_there.spread**2 / max(believed_there.spread**2 + noise**2, 1e-12)
    believed = prior.gain(offer, situation)
    mean = believed.mean + weight * shrunk * (trial.value - believed_there.mean)
    return Gain(mean, math.sqrt(max(1 - weight, 0.0)) * believed.spread)


def _probed(offer: Offer, situation: Situation, prior: Prior) -> tuple[Gain, Measurement] | None:
    """The gain of another stage's probe, or of all stages', by its own cross-validation; None where there is none.

    An earlier stage is compared with all stages, and these with the last: of many stages, compared one by one with a last
    stage that came out low by chance, the luckiest would be taken.
    """
    own, whole, last = (
        situation.evidence.get(f"probe/{name}") for name in (offer.boundary, "all", situation.stages[-1])
    )
    if offer.strategy != PROBE or offer.usual or own is None or last is None:
        return None
    noise = prior.anchor["probe_noise"]
    if offer.boundary == "all" or whole is None:
        return _by_probe(prior.gain(offer, situation), own, last, noise), own
    over, under = (
        _by_probe(prior.of_all(situation), whole, last, noise),
        _by_probe(prior.under_all(offer), own, whole, noise),
    )
    return Gain(over.mean + under.mean, math.hypot(over.spread, under.spread)), own


def _by_probe(believed: Gain, probe: Measurement, other: Measurement, noise: float) -> Gain:
    """The gain of one probe over another of the same samples: the posterior of a normal prior and a normal measurement."""
    off = noise * paired_deviation(probe, other)
    weight = believed.spread**2 / max(believed.spread**2 + off**2, 1e-12)
    mean = believed.mean + weight * (probe.value - other.value - believed.mean)
    return Gain(mean, math.sqrt(max(1 - weight, 0.0)) * believed.spread)


def paired_deviation(first: Measurement, second: Measurement) -> float:
    """Standard deviation of the difference of two probes of the same samples, by their intervals."""
    return math.sqrt(2 * (1 - PAIRED)) * max(deviation(first), deviation(second))


def _least(situation: Situation) -> float:
    return -1.0 if situation.summary.kind == "text-regression" else 0.0
