"""Which strategies are worth a trial: those that could be the best by what is believed."""

from collections.abc import Sequence

from regraft.recommending.offers import PROBE, Offer
from regraft.recommending.prior import Prior, shipped_prior
from regraft.recommending.situation import Z80, Situation

MOST_CONTENDERS = 4


def contenders(offers: Sequence[Offer], situation: Situation, prior: Prior | None = None) -> list[Offer]:
    """Offers at their usual boundary that need gradients and may beat the probe, the most promising first."""
    prior = (shipped_prior() if prior is None else prior).at(situation)
    gains = {one: prior.gain(one, situation) for one in offers if one.strategy != PROBE and one.usual}
    hopeful = {one: gain for one, gain in gains.items() if gain.mean + Z80 * gain.spread > 0}
    return sorted(hopeful, key=lambda one: -hopeful[one].mean)[:MOST_CONTENDERS]
