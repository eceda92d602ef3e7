"""What is grafted on a trunk."""

from regraft.heads.building import build_head, head_kind, head_width
from regraft.heads.classification import LinearHead, LogisticHead, MlpHead
from regraft.heads.contract import Head, Reads
from regraft.heads.grafting import head_for
from regraft.heads.regression import RidgeHead
from regraft.heads.tokens import IGNORED

__all__ = [
    "IGNORED",
    "Head",
    "LinearHead",
    "LogisticHead",
    "MlpHead",
    "Reads",
    "RidgeHead",
    "build_head",
    "head_for",
    "head_kind",
    "head_width",
]
