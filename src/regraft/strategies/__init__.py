"""How much of the trunk may change: each strategy turns an outline into a plan."""

import difflib

from regraft.core import OptionError
from regraft.strategies.contract import Strategy
from regraft.strategies.feature_extraction import FeatureExtraction
from regraft.strategies.from_scratch import FromScratch
from regraft.strategies.full_fine_tuning import FullFineTuning
from regraft.strategies.gradual_unfreezing import GradualUnfreezing
from regraft.strategies.lora import Lora
from regraft.strategies.lp_ft import LpFt
from regraft.strategies.partial_fine_tuning import PartialFineTuning
from regraft.strategies.settings import Settings

# Cheapest first: where two are equally good, the earlier is taken.
STRATEGIES: tuple[Strategy, ...] = (
    FeatureExtraction(),
    PartialFineTuning(),
    Lora(),
    FullFineTuning(),
    LpFt(),
    GradualUnfreezing(),
    FromScratch(),
)

__all__ = ["STRATEGIES", "Settings", "Strategy", "strategy_named"]


def strategy_named(name: str, option: str = "--strategy") -> Strategy:
    """The strategy of that name.

    Args:
        name: Its name.
        option: Where it was said; `auto` is none, but a word that `--strategy` takes.

    Raises:
        OptionError: There is none; the message lists those there are.
    """
    known = {strategy.name: strategy for strategy in STRATEGIES}
    if name in known:
        return known[name]
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"; did you mean {near[0]}?" if near else ""
    auto = "auto, " if option == "--strategy" else ""
    raise OptionError(f"{option} {name}: there is {auto}{', '.join(known)}{hint}")
