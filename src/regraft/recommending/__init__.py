"""Evidence in, ranked strategies with reasons out; standard library only."""

from regraft.recommending.contenders import contenders
from regraft.recommending.offers import Offer, offers_for, settings_of
from regraft.recommending.prior import Prior, prior_from_json, shipped_prior
from regraft.recommending.recommend import recommend

__all__ = ["Offer", "Prior", "contenders", "offers_for", "prior_from_json", "recommend", "settings_of", "shipped_prior"]
