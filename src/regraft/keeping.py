"""Keeping what the source taught: source data, the budget of a fit, and what an evaluation says was forgotten."""

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor

from regraft.activations.store import ActivationStore
from regraft.backbones.contract import Backbone
from regraft.backbones.language_heads import language_head
from regraft.backbones.loading import load_original
from regraft.backbones.source_heads import SourceHead, source_head
from regraft.core import BackboneError, DataError, OptionError, Passport, Plan, Sample, Split, Task, TextSample, Train
from regraft.core.task import TaskKind
from regraft.forgetting import Measure, class_measure, forgotten, halves, keep_within, language_measure, source_proxy
from regraft.forgetting.classes import shared_outputs
from regraft.model import ADAPTER_WEIGHTS, Model
from regraft.running import resolve_device
from regraft.tasks import Documents, documents_of, holds_documents, open_documents, open_task

Progress = Callable[[str, int, int], None]
REPLAYED = 5  # of so many documents, all but one are replayed and that one is measured on
FEWEST_MEASURED = 4
FEWEST_IN_HALF = 2  # one half of the source data chooses, the other reports
FEWEST_FOR_BUDGET = 10  # in each half: what fewer say of a share means little


@dataclass(frozen=True)
class SourceBudget:
    """Data of what the backbone was pre-trained on, and how much of it may be forgotten.

    Attributes:
        data: A task of classes, for pictures; documents, for texts. With the penalty `replay` its training part is
            learnt from and the rest measures; else all of it measures and none is learnt from.
        share: The largest loss of the original head's accuracy, or the largest rise of its perplexity, 0-1; None = as
            much as it takes: what was forgotten is measured and told.
    """

    data: Task | Documents
    share: float | None = None

    def check(self, task: Task, plan: Plan) -> None:
        """Refuse what has no measure, before anything is computed.

        Raises:
            OptionError: The task has no classes and a share is given, the source is of another kind than the task, or
                training does not start from the backbone's weights.
        """
        if self.share is not None and task.kind not in {"image-classification", "text-classification"}:
            raise OptionError(f"--keep-source: for tasks of classes, and this is {task.kind}")
        pictures = isinstance(self.data, Task) and self.data.kind == "image-classification"
        if pictures != (task.kind == "image-classification"):
            raise OptionError(f"--source: {self.data.name} holds {_held(self.data)}, the target is {task.kind}")
        if plan.start == "random":
            raise OptionError(f"--source: strategy {plan.strategy} starts from random weights, which know no source")

    def check_enough(self, measure: Measure) -> None:
        """Refuse source data that are too few to keep a share by.

        Raises:
            DataError: They are; the message says how many would do.
        """
        sizes = [len(half.samples) for half in halves(measure)]
        least = FEWEST_IN_HALF if self.share is None else FEWEST_FOR_BUDGET
        if measure.classes and self.share:
            least = max(least, math.floor(1 / self.share) + 1)  # one changed answer must be within the share
        if min(sizes) < least:
            asked = "" if self.share is None else f"--keep-source {self.share:.1%} with "
            raise DataError(
                f"{asked}--source {self.data.name}: of its samples {sizes[0]} can choose and {sizes[1]} report, and "
                f"each needs {least}; give at least {2 * least}"
                f"{', or a larger share' if self.share and least > FEWEST_FOR_BUDGET else ''}"
            )


def _held(data: Task | Documents) -> str:
    return data.kind if isinstance(data, Task) else "texts"


def open_source(data: str | Path, kind: TaskKind, *, offline: bool = False) -> Task | Documents:
    """Source data for a target of some kind.

    Args:
        data: For pictures, as `open_task` takes it; for texts, a `.txt` file with one document a line, a folder of
            such, or what `open_task` takes, whose texts are used without their labels. Its parts are the same whatever
            the seed of a run, so that what was replayed in one is never measured on in another.
        kind: Of the target.
        offline: Open no connection.
    """
    if kind != "image-classification" and holds_documents(Path(data)):
        return open_documents(data)
    task = open_task(data, offline=offline)
    if kind == "image-classification":
        return task
    if task.kind == "image-classification":
        return task  # refused by `SourceBudget.check`, with what it holds
    samples = [one for split in task.splits.values() for one in split.samples if isinstance(one, TextSample)]
    return documents_of(task.name, [TextSample(one.source, _whole(one)) for one in samples])


def _whole(sample: TextSample) -> str:
    return sample.text if sample.text_pair is None else f"{sample.text} {sample.text_pair}"


def replays(plan: Plan) -> bool:
    """Whether a plan learns from source data."""
    return any(
        phase.penalty is not None and phase.penalty.kind == "replay"
        for phase in plan.phases
        if isinstance(phase, Train)
    )


def replayed_split(data: Task | Documents, backbone: Backbone, *, offline: bool = False) -> Split:
    """The part of source data that is learnt from: documents, or pictures with outputs of the original head."""
    if isinstance(data, Documents):
        part = tuple(one for one in data.samples if int(one.digest, 16) % REPLAYED)
        return Split(part, (0,) * len(part))
    outputs = shared_outputs(data.classes, source_head(backbone.passport, offline=offline))
    pairs = [
        (sample, outputs[target])
        for sample, target in zip(data.train.samples, data.train.targets, strict=True)
        if target in outputs
    ]
    return Split(tuple(one for one, _ in pairs), tuple(one for _, one in pairs))


def measure_of(data: Task | Documents, backbone: Backbone, plan: Plan, *, offline: bool = False) -> Measure:
    """How the original head of a backbone is asked about source data that the plan did not learn from.

    Raises:
        BackboneError: The original head cannot be had.
        DataError: Head and data do not go together, or too few samples are left.
    """
    measure: Measure
    if isinstance(data, Documents):
        head = language_head(backbone.passport, getattr(backbone.preprocess, "tokenizer", None), offline=offline)
        learnt = replays(plan)
        measure = language_measure(
            [one for one in data.samples if not learnt or int(one.digest, 16) % REPLAYED == 0], head
        )
    else:
        splits = [name for name in data.splits if name != "train" or not replays(plan)]
        measure = class_measure(data, splits, source_head(backbone.passport, offline=offline))
    if len(measure.samples) < FEWEST_MEASURED:
        raise DataError(f"--source: {len(measure.samples)} samples of {data.name} can be measured on; give more")
    return measure


def kept_within(
    model: Model,
    start: dict[str, Tensor],
    task: Task,
    budget: SourceBudget,
    measure: Measure,
    progress: Progress | None = None,
) -> Model:
    """The model with the curve of forgetting; with a share, moved back toward `start` until that is kept."""
    trained = None
    if task.kind in {"image-classification", "text-classification"}:
        # A solved head has learnt from the validation part too: what that part said of it before is what counts.
        told = model.run.before_learning_all()
        part = task.validation if len(task.validation) else task.train
        trained = told["accuracy"] if "accuracy" in told else model.evaluate(part).metrics["accuracy"]
    found, head = keep_within(
        model.backbone,
        start,
        task,
        measure,
        budget.share,
        trained=trained,
        device=resolve_device(model.device),
        progress=progress,
    )
    model = replace(model, forgetting=asdict(found))
    if head is None:
        return model
    return replace(model, head=head, adapter=_scaled(model.adapter, found.alpha))


def _scaled(adapter: dict[str, bytes], alpha: float) -> dict[str, bytes]:
    """Adapter files of weights that went `alpha` of the way: what B adds is proportional to it."""
    if not adapter:
        return adapter
    tensors = load_tensors(adapter[ADAPTER_WEIGHTS])
    moved = {name: one * alpha if ".lora_B." in name else one for name, one in tensors.items()}
    return {**adapter, ADAPTER_WEIGHTS: save_tensors(moved)}


def forgetting_of(
    model: Model,
    source: Task | Documents | None,
    inputs: tuple[Sample, ...],
    *,
    store: ActivationStore | None = None,
    offline: bool = False,
) -> dict[str, Any] | None:
    """What the model's trunk has forgotten: by the original head on source data, else by a proxy on target inputs.

    A text backbone without a language-model head, such as a sentence encoder, has the proxy on the source's texts.
    None where neither can be had: the trunk never moved, or its original is out of reach and no source was given.

    Raises:
        OptionError: `source` is given and the model began from random weights, or `source` is of another kind.
        BackboneError: `source` is given and the original backbone or its head cannot be had.
    """
    passport, plan = model.backbone.passport, model.run.plan
    if source is not None:
        SourceBudget(source).check(_like(model), plan)
    elif plan.start == "random" or plan.frozen(model.backbone.outline) == len(model.backbone.outline):
        return None
    found = _original(passport, needed=source is not None, offline=offline or source is None)
    if found is None:
        return None
    before, head = found
    device = resolve_device(model.device)
    proxy = asdict(source_proxy(before, model.backbone, head, inputs, device=device))
    if source is None:
        return {"measured": "proxy", **proxy}
    try:
        measure = measure_of(source, before, plan, offline=offline)
    except BackboneError as error:
        if not isinstance(source, Documents):
            raise
        drift = source_proxy(before, model.backbone, None, source.samples, device=device).feature_drift
        return {"measured": "proxy", **proxy, "source_drift": drift, "because": str(error)}
    if model.forgetting is not None and model.forgetting["budget"] is not None:
        _, measure = halves(measure)  # by the other half the share was chosen, if these are the data of the fit
    scores = [measure.scores(one, store=store, device=device) for one in (before, model.backbone)]
    return {"measured": "source", **asdict(forgotten(measure, scores[0], scores[1])), **proxy}


def _original(passport: Passport, *, needed: bool, offline: bool) -> tuple[Backbone, SourceHead | None] | None:
    """The backbone as it was, with its classifier if it reads pictures; None where it cannot be had and need not be."""
    try:
        before = load_original(passport, offline=offline)
    except BackboneError:
        if needed:
            raise
        return None
    if before.kind != "image":
        return before, None
    try:
        return before, source_head(passport, offline=offline)
    except BackboneError:  # its features can be compared all the same
        if needed:
            raise
        return before, None


def _like(model: Model) -> Task:
    """A task of the model's kind, without samples."""
    return Task(model.task_name, model.kind, model.classes, {})
