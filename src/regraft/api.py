"""The verbs: what the command line and Python users call."""

import platform
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from regraft.activations.store import ActivationStore
from regraft.backbones import load_backbone
from regraft.backbones.contract import Backbone
from regraft.core import Choice, Learnt, ModelError, Run, Step, Task, standing
from regraft.examining import part_to_measure
from regraft.forgetting import Measure
from regraft.forgetting.budget import pretrained_copy
from regraft.heads import head_for
from regraft.inputs import samples_from
from regraft.keeping import SourceBudget, kept_within, measure_of, open_source, replayed_split, replays
from regraft.measuring import measure
from regraft.model import ADAPTER_FOLDER, BACKBONE_FOLDER, DRAFT, HEAD_FILE, MODEL_FILE, Model, Progress, load
from regraft.preparing import Prepared, keep_choice, kept_choice, prepare, recommend
from regraft.pretraining.verb import pretrain
from regraft.running import execute
from regraft.running.resources import Resources
from regraft.strategies import STRATEGIES, Settings
from regraft.tasks import few_shot, inspect_data, open_task

__all__ = [
    "STRATEGIES",
    "Prepared",
    "Resources",
    "Settings",
    "SourceBudget",
    "check_out",
    "check_source",
    "chosen_before",
    "few_shot",
    "fit",
    "inspect",
    "load",
    "load_backbone",
    "measure",
    "open_source",
    "open_task",
    "part_to_measure",
    "prepare",
    "pretrain",
    "recommend",
    "samples_from",
]

RUN_FOLDER = "run"


inspect = inspect_data  # what the data are and what is wrong with them, under the name of the command


def fit(  # noqa: PLR0913 - what a caller may say
    task: Task,
    strategy: str | Choice | Prepared = "auto",
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
        strategy: A strategy's name, a choice of a recommendation (`advice.best`), or what `prepare` returned.
        backbone: As `--backbone` takes it, or a loaded backbone (it is changed by training).
        settings: What departs from the strategy's defaults.
        resources: Device, precision, cache.
        out: Folder to save the model in; an interrupted run is kept there for `resume`.
        resume: Go on from what an interrupted run left in `out`; the result has the same bits.
        progress: Called with (what, done, total).
        on_step: Called after each epoch or solved head.
        budget: Source data: what of it was forgotten is measured (`--source`), kept within a share by moving back
            toward the pretrained weights (`--keep-source`), or learnt from beside the target (`--penalty replay`).

    Raises:
        InputError: The call is wrong; nothing has been computed.
        TrainingError: The loss became not a number at any rate tried, or memory did not suffice.
    """
    begun = time.perf_counter()
    resources = resources or Resources()
    folder = None if out is None else check_out(out, resume=resume)
    if not isinstance(strategy, Prepared):
        if folder is not None:
            strategy = chosen_before(folder.parent, strategy, settings or Settings())
        strategy = prepare(task, strategy, backbone, settings, resources, progress=progress)
    prepared = strategy
    plan, trunk = prepared.plan, prepared.backbone
    asked_first = time.perf_counter()
    asking = None if budget is None else check_source(budget, task, prepared, resources)
    if folder is not None:
        keep_choice(prepared, folder)
    start = {} if budget is None else pretrained_copy(trunk)
    asking_seconds = time.perf_counter() - asked_first
    learnt = budget is not None and replays(plan)
    head = head_for(plan, trunk.outline, task)
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
        replayed=replayed_split(budget.data, trunk, offline=resources.offline) if budget and learnt else None,
    )
    earlier: list[Step] = []
    taken = tuple(_reported(steps, on_step, earlier))
    trained = time.perf_counter()
    model = Model(
        task_name=task.name,
        kind=task.kind,
        classes=task.classes,
        backbone=trunk,
        head=head,
        run=Run(plan, standing(taken), {}, _environment(resources)),
        results={},
        device=resources.device,
        adapter=adapter,
        pairs=task.paired,
        learnt=Learnt.of(task),
    )
    if budget is not None and asking is not None:
        model = kept_within(model, start, task, budget, asking, progress)
    asked = time.perf_counter()
    # Only an unchanged trunk gives activations that another run can use.
    unchanged = plan.start == "pretrained" and plan.frozen(trunk.outline) == len(trunk.outline)
    kept = resources.store() if unchanged and all(phase.cache for phase in plan.phases) else None
    model = replace(model, results=evaluate_splits(model, task, store=kept, progress=progress))
    features, before = sum(step.feature_seconds for step in taken), sum(step.seconds for step in earlier)
    seconds = {
        "total": time.perf_counter() - begun + before,
        "features": features,
        "training": trained - begun - asking_seconds + before - features,
    }
    seconds |= {} if budget is None else {"forgetting": asking_seconds + asked - trained}
    model = replace(model, run=replace(model.run, seconds=seconds))
    if out is not None:
        model.save_into(out)
        shutil.rmtree(Path(out) / RUN_FOLDER, ignore_errors=True)
    return model


def chosen_before(out: str | Path, strategy: str | Choice, settings: Settings) -> str | Choice:
    """For `auto`, what it chose for the interrupted run in `out`; else the strategy as it is.

    Raises:
        OptionError: The run was begun with other settings.
    """
    return (kept_choice(Path(out) / RUN_FOLDER, settings) or strategy) if strategy == "auto" else strategy


def check_source(budget: SourceBudget, task: Task, prepared: Prepared, resources: Resources) -> Measure:
    """How what is forgotten will be measured.

    Raises:
        InputError: It cannot be; nothing has been computed.
    """
    budget.check(task, prepared.plan)
    measure = measure_of(budget.data, prepared.backbone, prepared.plan, offline=resources.offline)
    budget.check_enough(measure)
    return measure


def evaluate_splits(
    model: Model, task: Task, *, store: ActivationStore | None = None, progress: Progress | None = None
) -> dict[str, dict[str, Any]]:
    """Metrics and their intervals on every split but the one learnt from."""
    chosen_by = _measured_before(model)
    results: dict[str, dict[str, Any]] = {}
    for name, split in task.splits.items():
        if name == "validation" and chosen_by:
            results[name] = {"intervals": {}, **chosen_by}
        elif name != "train" and len(split):
            found = model.evaluate(split, store=store, progress=progress)
            results[name] = {**found.metrics, "intervals": dict(found.intervals)}
    return results


def _measured_before(model: Model) -> dict[str, Any]:
    """Of a head that has learnt from the validation part too: what was measured on it before that; empty of another."""
    kept = model.forgetting
    return model.run.before_learning_all() or dict((kept or {}).get("validation") or {})


def _reported(steps: Iterable[Step], on_step: Callable[[Step], None] | None, earlier: list[Step]) -> Iterator[Step]:
    """The steps, each told to the caller as it comes; those of an interrupted run, which come at once, go to `earlier`."""
    asked = time.perf_counter()
    for step in steps:
        if step.seconds > time.perf_counter() - asked:
            earlier.append(step)
        if on_step is not None:
            on_step(step)
        yield step
        asked = time.perf_counter()


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
