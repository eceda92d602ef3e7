"""The verbs: what the command line and Python users call."""

import platform
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import torch

from regraft.activations.store import ActivationStore
from regraft.backbones import load_backbone, reinitialised
from regraft.backbones.contract import Backbone
from regraft.backbones.source_heads import source_head
from regraft.core import DataError, ModelError, Outline, Plan, Run, Solve, Split, Step, Task, TextSample
from regraft.core.places import default_cache_dir
from regraft.core.plan import SOLVED
from regraft.forgetting.budget import pretrained_copy
from regraft.heads import Head, Reads, build_head, head_width
from regraft.inputs import samples_from
from regraft.keeping import SourceBudget, kept_within
from regraft.model import ADAPTER_FOLDER, BACKBONE_FOLDER, DRAFT, HEAD_FILE, MODEL_FILE, Model, Progress, load
from regraft.pretraining.verb import pretrain
from regraft.running import execute, resolve_device
from regraft.strategies import Settings, strategy_named
from regraft.tasks import Inspection, inspect_data, open_task

__all__ = [
    "Prepared",
    "Resources",
    "Settings",
    "SourceBudget",
    "aligned_split",
    "check_out",
    "fit",
    "inspect",
    "load",
    "load_backbone",
    "open_task",
    "prepare",
    "pretrain",
    "samples_from",
]

RUN_FOLDER = "run"

# What `auto` stands for until evidence can be gathered: the strategy that is safe with few labels.
DEFAULT_STRATEGY = "feature-extraction"


@dataclass(frozen=True)
class Resources:
    """Where work runs and what it may use.

    Attributes:
        device: `auto`, `cpu`, `cuda`, `cuda:N` or `mps`.
        precision: `auto`, `fp32`, `bf16` or `int8`.
        cache_dir: Where activations are kept; None = the platform's cache folder.
        offline: Open no connection.
    """

    device: str = "auto"
    precision: str = "auto"
    cache_dir: Path | None = None
    offline: bool = False

    def store(self) -> ActivationStore:
        """The activation store of this cache folder."""
        return ActivationStore((self.cache_dir or default_cache_dir()) / "activations")


@dataclass(frozen=True)
class Prepared:
    """A plan and the backbone it is for, before anything is run."""

    plan: Plan
    backbone: Backbone

    @property
    def outline(self) -> Outline:
        """The backbone's stages."""
        return self.backbone.outline


def inspect(
    data: str | Path,
    *,
    text_column: str = "text",
    label_column: str = "label",
    seed: int = 0,
    strict: bool = False,
) -> Inspection:
    """What the data is and what is wrong with it; see `regraft.tasks.inspect_data`."""
    return inspect_data(data, text_column=text_column, label_column=label_column, seed=seed, strict=strict)


def prepare(
    task: Task,
    strategy: str = "auto",
    backbone: str | Backbone = "auto",
    settings: Settings | None = None,
    resources: Resources | None = None,
) -> Prepared:
    """The plan that `fit` would run, and the backbone it is for.

    Raises:
        InputError: A name or setting is wrong; nothing has been computed.
    """
    chosen = strategy_named(DEFAULT_STRATEGY if strategy == "auto" else strategy)
    settings, resources = settings or Settings(), resources or Resources()
    resolve_device(resources.device)
    if isinstance(backbone, str):
        reads: Literal["image", "text"] = "image" if task.kind.startswith("image") else "text"
        backbone = load_backbone(backbone, kind=reads, offline=resources.offline)
    plan = chosen.plan(backbone.outline, task.summary(), settings)
    plan.check(backbone.outline)
    if plan.start == "random":
        backbone = reinitialised(backbone, plan.seed)
    return Prepared(plan, backbone)


def fit(  # noqa: PLR0913 - what a caller may say
    task: Task,
    strategy: str | Prepared = "auto",
    *,
    backbone: str | Backbone = "auto",
    settings: Settings | None = None,
    resources: Resources | None = None,
    out: str | Path | None = None,
    resume: bool = False,
    progress: Progress | None = None,
    on_step: Callable[[Step], None] | None = None,
    budget: SourceBudget | None = None,
) -> Model:
    """Graft a head on a backbone, train as the strategy says, and measure the result.

    Args:
        task: What `open_task` returned.
        strategy: A strategy's name, or what `prepare` returned.
        backbone: As `--backbone` takes it, or a loaded backbone (it is changed by training).
        settings: What departs from the strategy's defaults.
        resources: Device, precision, cache.
        out: Folder to save the model in; an interrupted run is kept there for `resume`.
        resume: Go on from what an interrupted run left in `out`; the result has the same bits.
        progress: Called with (what, done, total).
        on_step: Called after each epoch or solved head.
        budget: Move back toward the pretrained weights until no more than this is forgotten (`--keep-source`).

    Raises:
        InputError: The call is wrong; nothing has been computed.
        TrainingError: The loss became not a number at any rate tried, or memory did not suffice.
    """
    begun = time.perf_counter()
    resources = resources or Resources()
    folder = None if out is None else check_out(out, resume=resume)
    prepared = prepare(task, strategy, backbone, settings, resources) if isinstance(strategy, str) else strategy
    plan, trunk = prepared.plan, prepared.backbone
    start = {} if budget is None else _started(budget, task, trunk, resources)
    head = _new_head(plan, trunk, task)
    adapter: dict[str, bytes] = {}
    steps = execute(
        plan,
        trunk,
        head,
        task,
        store=resources.store(),
        folder=folder,
        device=resources.device,
        precision=resources.precision,
        resume=resume,
        progress=progress,
        adapter_files=adapter,
    )
    taken = tuple(_reported(steps, on_step))
    trained = time.perf_counter()
    model = Model(
        task_name=task.name,
        kind=task.kind,
        classes=task.classes,
        backbone=trunk,
        head=head,
        run=Run(plan, taken, {}, _environment(resources)),
        results={},
        device=resources.device,
        adapter=adapter,
    )
    if budget is not None:
        model = kept_within(model, start, task, budget, offline=resources.offline, progress=progress)
    # Only an unchanged trunk gives activations that another run can use.
    kept = (
        resources.store() if plan.start == "pretrained" and plan.frozen(trunk.outline) == len(trunk.outline) else None
    )
    model = replace(model, results=evaluate_splits(model, task, store=kept, progress=progress))
    features = sum(step.feature_seconds for step in taken)
    seconds = {"total": time.perf_counter() - begun, "features": features, "training": trained - begun - features}
    model = replace(model, run=replace(model.run, seconds=seconds))
    if out is not None:
        model.save_into(out)
        shutil.rmtree(Path(out) / RUN_FOLDER, ignore_errors=True)
    return model


def _started(budget: SourceBudget, task: Task, trunk: Backbone, resources: Resources) -> dict[str, torch.Tensor]:
    """The trunk's tensors as they are, once it is sure that the budget can be measured."""
    budget.check(task)
    source_head(trunk.passport, offline=resources.offline)
    return pretrained_copy(trunk)


def _new_head(plan: Plan, trunk: Backbone, task: Task) -> Head:
    """The head of a plan, ready to learn."""
    paired = any(isinstance(one, TextSample) and one.text_pair is not None for one in task.train.samples)
    reads: Reads | None = "pairs" if paired and plan.head in SOLVED else None
    taps = next((phase.taps for phase in plan.phases if isinstance(phase, Solve)), ())
    width = head_width(trunk.outline, taps)
    head = build_head(plan.head, width, len(task.classes), plan.seed, task=task.kind, reads=reads, taps=taps)
    if task.kind == "text-regression":
        head.begin(torch.tensor(task.train.targets))
    return head


def evaluate_splits(
    model: Model, task: Task, *, store: ActivationStore | None = None, progress: Progress | None = None
) -> dict[str, dict[str, Any]]:
    """Metrics and their intervals on every split but the one learnt from."""
    solved = [step for step in model.run.steps if "strength" in step.metrics]
    results: dict[str, dict[str, Any]] = {}
    for name, split in task.splits.items():
        if name == "validation" and solved:
            # A solved head has learnt from this part too, after it was measured on it.
            measured = {key: value for key, value in solved[-1].metrics.items() if key not in {"strength", "loss"}}
            results[name] = {**measured, "intervals": {}}
        elif name != "train" and len(split):
            found = model.evaluate(split, store=store, progress=progress)
            results[name] = {**found.metrics, "intervals": dict(found.intervals)}
    return results


def aligned_split(model: Model, task: Task, name: str) -> Split:
    """A split with its targets in the order of the model's classes.

    Raises:
        DataError: It has a class that the model does not know.
    """
    if task.kind != model.kind:
        raise DataError(f"{task.name}: it is {task.kind}, and the model was made for {model.kind}")
    if task.kind not in {"image-classification", "text-classification", "token-classification"}:
        return task.splits[name]
    unknown = sorted(set(task.classes) - set(model.classes))
    if unknown:
        raise DataError(
            f"{task.name}: the model does not know the class {unknown[0]!r}; it knows {', '.join(model.classes)}"
        )
    split = task.splits[name]
    order = [model.classes.index(label) for label in task.classes]
    if task.kind == "token-classification":
        return Split(split.samples, tuple(tuple(order[tag] for tag in tags) for tags in split.targets))
    return Split(split.samples, tuple(order[target] for target in split.targets))


def _reported(steps: Iterable[Step], on_step: Callable[[Step], None] | None) -> Iterator[Step]:
    """The steps, each told to the caller as it comes."""
    for step in steps:
        if on_step is not None:
            on_step(step)
        yield step


def check_out(out: str | Path, *, resume: bool) -> Path:
    """Where a run to `out` keeps its checkpoints.

    Raises:
        ModelError: Something would be overwritten, or an interrupted run is there and `resume` is not set.
    """
    out = Path(out)
    folder = out / RUN_FOLDER
    for parent in (out, *out.parents):
        if parent.exists() and not parent.is_dir():
            raise ModelError(f"--out {out}: {parent} is a file; name a folder")
    if (out / MODEL_FILE).exists():
        raise ModelError(f"{out} already holds a model; name another --out or remove it")
    # Beside a run, what a kill during saving left is not in the way: it is written anew.
    ours = {RUN_FOLDER, BACKBONE_FOLDER, ADAPTER_FOLDER, HEAD_FILE} if folder.exists() else {RUN_FOLDER}
    if out.exists() and any(entry.name not in ours and not entry.name.startswith(DRAFT) for entry in out.iterdir()):
        raise ModelError(f"{out} exists and holds other files; name a new folder for --out")
    if folder.exists() and not resume:
        raise ModelError(f"{out} holds an interrupted run; add --resume to go on, or remove it to start again")
    return folder


def _environment(resources: Resources) -> dict[str, str]:
    """What a rerun needs to know of the machine."""
    return {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "regraft": version("regraft"),
        "processor": platform.machine(),
        "device": resources.device,
        "precision": resources.precision,
        "threads": str(torch.get_num_threads()),
    }
