"""The head of a plan for a kind of task; a new head is one class and one line."""

import torch

from regraft.core import Outline, TaskKind
from regraft.core.plan import HeadKind
from regraft.heads.classification import LinearHead, LogisticHead, MlpHead
from regraft.heads.contract import Head, Reads
from regraft.heads.regression import LinearQuantityHead, MlpQuantityHead, RidgeHead
from regraft.heads.spans import SpanHead
from regraft.heads.tokens import TokenHead

PAIR_PARTS = 3  # pooled features of the pair, and two ways to compare those of its texts

CLASS_HEADS: dict[HeadKind, type[Head]] = {"logistic": LogisticHead, "linear": LinearHead, "mlp": MlpHead}
QUANTITY_HEADS: dict[HeadKind, type[Head]] = {
    "ridge": RidgeHead,
    "linear": LinearQuantityHead,
    "mlp": MlpQuantityHead,
}
HEADS: dict[TaskKind, dict[HeadKind, type[Head]]] = {
    "image-classification": CLASS_HEADS,
    "text-classification": CLASS_HEADS,
    "text-regression": QUANTITY_HEADS,
    "token-classification": {"token": TokenHead},
    "question-answering": {"span": SpanHead},
}


def build_head(
    kind: HeadKind,
    width: int,
    classes: int,
    seed: int,
    *,
    task: TaskKind = "image-classification",
    reads: Reads | None = None,
    taps: tuple[int, ...] = (),
) -> Head:
    """A new head whose weights depend on `seed` alone.

    Args:
        kind: As `Plan.head` names it.
        width: D of the features: of the trunk's last stage, or of all stages that are tapped together.
        classes: C; of no account for quantities and spans.
        seed: Of the initialisation; torch's global random state is left as it was.
        task: The kind of task it is for.
        taps: Of a solved head: the stages that it reads; empty = the last.
        reads: `pairs` for a solved head on pairs of texts; None = as this head does by itself.
    """
    outputs = {"text-regression": 1, "question-answering": 2}.get(task, classes)
    inputs = width * PAIR_PARTS if reads == "pairs" else width
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        head = HEADS[task][kind](inputs, outputs)
    head.reads, head.taps = reads or head.reads, taps
    return head


def head_kind(head: Head, task: TaskKind) -> HeadKind:
    """The name of a head, as `build_head` takes it."""
    return next(name for name, kind in HEADS[task].items() if type(head) is kind)


def head_width(outline: Outline, taps: tuple[int, ...]) -> int:
    """D of the features that a head reads which taps these stages; empty = the last."""
    return sum(outline.stages[tap].width for tap in taps or (len(outline) - 1,))
