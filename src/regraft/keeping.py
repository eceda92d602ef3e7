"""Keeping what the source taught: the budget of a fit, and what an evaluation says was forgotten."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from torch import Tensor

from regraft.activations.store import ActivationStore
from regraft.backbones import load_backbone
from regraft.backbones.source_heads import source_head
from regraft.core import BackboneError, OptionError, Sample, Task
from regraft.forgetting import forgotten, keep_within, source_proxy
from regraft.forgetting.classes import source_data, source_hits
from regraft.model import Model
from regraft.running import resolve_device

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class SourceBudget:
    """How much of the source may be forgotten.

    Attributes:
        data: Held-out data of the source; all its splits are used, and none is learnt from.
        share: The largest loss of the original head's accuracy, 0-1.
    """

    data: Task
    share: float

    def check(self, task: Task) -> None:
        """Refuse what has no measure, before anything is computed.

        Raises:
            OptionError: The task has no classes, or the source is of another kind.
        """
        if task.kind not in {"image-classification", "text-classification"}:
            raise OptionError(f"--keep-source: for tasks of classes, and this is {task.kind}")
        if self.data.kind != task.kind:
            raise OptionError(f"--source: {self.data.name} is {self.data.kind}, the target is {task.kind}")


def kept_within(
    model: Model,
    start: dict[str, Tensor],
    task: Task,
    budget: SourceBudget,
    *,
    offline: bool,
    progress: Progress | None = None,
) -> Model:
    """The model with its trunk moved back toward `start` until the budget is kept, and a head solved on it."""
    original = source_head(model.backbone.passport, offline=offline)
    data = source_data(list(budget.data.splits.values()), budget.data.classes, original)
    found, head = keep_within(
        model.backbone,
        start,
        task,
        data,
        original,
        budget.share,
        device=resolve_device(model.device),
        progress=progress,
    )
    return replace(model, head=head, forgetting=asdict(found))


def forgetting_of(
    model: Model,
    source: Task | None,
    inputs: tuple[Sample, ...],
    *,
    store: ActivationStore | None = None,
    offline: bool = False,
) -> dict[str, Any] | None:
    """What the model's trunk has forgotten: by the original head on source data, else by a proxy on target inputs.

    None where neither can be had: the trunk never moved, or its original is out of reach and no source was given.

    Raises:
        BackboneError: `source` is given and the original backbone or its head cannot be had.
    """
    passport = model.backbone.passport
    if model.run.plan.start == "random":
        return None
    moved = model.run.plan.frozen(model.backbone.outline) < len(model.backbone.outline)
    if source is None and not moved:
        return None
    quiet, device = offline or source is None, resolve_device(model.device)
    try:
        before = load_backbone(passport.source, offline=quiet)
    except BackboneError:
        if source is not None:
            raise
        return None
    try:
        head = source_head(passport, offline=quiet)
    except BackboneError:
        if source is not None:
            raise
        drift = source_proxy(before, model.backbone, None, inputs, device=device).feature_drift
        return {"measured": "proxy", "agreement": None, "feature_drift": drift}
    proxy = asdict(source_proxy(before, model.backbone, head, inputs, device=device))
    if source is None:
        return {"measured": "proxy", **proxy}
    data = source_data(list(source.splits.values()), source.classes, head)
    hits = [source_hits(one, head, data, store=store, device=device) for one in (before, model.backbone)]
    return {"measured": "source", **asdict(forgotten(hits[0], hits[1], len(data.outputs))), **proxy}


def forgetting_sentence(found: dict[str, Any]) -> str:
    """What was forgotten, in one sentence."""
    told = found["agreement"]
    agrees = "" if told is None or np.isnan(told) else f"; on target inputs it says the same for {told:.1%}"
    if found["measured"] == "proxy":
        return f"forgetting (proxy, no --source): features moved by {found['feature_drift']:.3f} (1 - cosine){agrees}"
    return (
        f"forgotten: {100 * found['lost']:.1f} points [{100 * found['low']:.1f}, {100 * found['high']:.1f}] of the "
        f"original head's {found['before']:.3f} on {found['samples']} source samples of {found['classes']} classes{agrees}"
    )


def budget_sentence(found: dict[str, Any]) -> str:
    """What a budget cost, in one sentence."""
    held = found["held_out"]
    return (
        f"forgetting budget {found['budget']:.1%}: went {found['alpha']:.0%} of the way to the tuned weights; lost "
        f"{100 * held['lost']:.1f} points of {held['before']:.3f} on {held['samples']} held-out source samples; the "
        f"budget cost {100 * found['target_cost']:.1f} points on the target's validation part"
    )
