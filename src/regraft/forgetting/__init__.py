"""What tuning cost of what the trunk knew before, and how to keep that small."""

from regraft.forgetting.budget import Kept, keep_within
from regraft.forgetting.classes import class_measure
from regraft.forgetting.halves import halves
from regraft.forgetting.language import language_measure
from regraft.forgetting.measure import Forgotten, Measure, forgotten
from regraft.forgetting.proxy import Proxy, source_proxy
from regraft.forgetting.sentences import budget_sentence, curve_rows, forgetting_sentence, loss_unit

__all__ = [
    "Forgotten",
    "Kept",
    "Measure",
    "Proxy",
    "budget_sentence",
    "class_measure",
    "curve_rows",
    "forgetting_sentence",
    "forgotten",
    "halves",
    "keep_within",
    "language_measure",
    "loss_unit",
    "source_proxy",
]
