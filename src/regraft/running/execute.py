"""Run a plan, phase by phase, yielding what was done."""

import time
from collections.abc import Callable, Generator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regraft.activations.pairs import head_features
from regraft.activations.store import ActivationStore
from regraft.backbones.contract import Backbone
from regraft.core import OptionError, Penalty, Plan, Solve, Split, Step, Task, Train, standing
from regraft.evaluating import Evaluation, evaluate_probabilities, evaluate_quantities
from regraft.heads import Head, RidgeHead
from regraft.running.batches import Supply
from regraft.running.checkpoint import Checkpoint, Position, read_checkpoint, run_identity
from regraft.running.devices import resolve_device
from regraft.running.penalties import Keeper, build_keeper
from regraft.running.phase import PhaseRun
from regraft.running.probe import Solution, solve_logistic, solve_ridge, solved
from regraft.running.replay import build_replay
from regraft.running.units import as_units

Floats = NDArray[np.float32]
Progress = Callable[[str, int, int], None]


def execute(  # noqa: PLR0913 - what a caller may say
    plan: Plan,
    backbone: Backbone,
    head: Head,
    task: Task,
    *,
    store: ActivationStore | None,
    folder: Path | None,
    device: str = "auto",
    precision: str = "auto",
    resume: bool = False,
    progress: Progress | None = None,
    adapter_files: dict[str, bytes] | None = None,
    replayed: Split | None = None,
) -> Generator[Step, None, None]:
    """Run the plan on a task; trunk and head are changed in place.

    Args:
        plan: Checked against the backbone's outline before anything is computed.
        backbone: The trunk, with the weights that the plan starts from.
        head: As `build_head(plan.head, …)` made it.
        task: Labelled data.
        store: Of activations; None = recompute what is frozen.
        folder: Of checkpoints; None = keep none.
        device: `auto`, or a PyTorch device.
        precision: `auto`, `fp32`, `bf16` or `int8`.
        resume: Go on from the checkpoint in `folder`; its steps are yielded again first.
        progress: Called with (what, done, total).
        adapter_files: Filled with what peft saves, where the plan trains adapters.
        replayed: Source samples to learn from beside the task's, for the penalty `replay`: documents, or pictures
            whose targets are outputs of the original head.

    Raises:
        PlanError: The plan does not fit the outline.
        OptionError: `resume` with another plan, precision, device or other data, or an unknown device.
        TrainingError: See `PhaseRun`.
        FrozenDriftError: A frozen byte changed.
    """
    plan.check(backbone.outline)
    device = resolve_device(device)
    task = as_units(task, backbone)
    content = [task.fingerprint, *([] if replayed is None else [one.digest for one in replayed.samples])]
    identity = run_identity(plan, backbone, "/".join(content), device, precision)
    found = read_checkpoint(folder, identity) if resume and folder is not None else None
    done = found or Checkpoint(Position(), {})
    yield from done.position.steps
    supply = Supply(backbone, store, device, precision, plan.seed, progress, [], head.reads)
    steps = list(done.position.steps)
    keepers = _keepers(plan, backbone, task, supply, replayed)
    for number, phase in enumerate(plan.phases):
        if number < done.position.phase:
            continue
        if isinstance(phase, Solve):
            step = _solve(number, phase, plan, backbone, head, task, supply)
            steps.append(step)
            yield step
            continue
        going_on = number == done.position.phase and bool(done.tensors)
        position = done.position if going_on else Position(number, steps=standing(steps))
        run = PhaseRun(
            plan,
            number,
            phase,
            backbone,
            head,
            task,
            supply,
            device,
            precision,
            folder,
            identity,
            progress,
            {} if adapter_files is None else adapter_files,
            keepers.get(phase.penalty) if phase.penalty and phase.frozen < len(backbone.outline) else None,
        )
        for step in run.steps(position, done.tensors if going_on else {}):
            noted = replace(step, note="; ".join(filter(None, (step.note, *supply.notes))))
            supply.notes.clear()
            steps.append(noted)
            yield noted
    backbone.module.cpu()
    head.cpu()


def _keepers(
    plan: Plan, backbone: Backbone, task: Task, supply: Supply, replayed: Split | None
) -> dict[Penalty, Keeper]:
    """What the plan's penalties stand for, made while the trunk is as it was."""
    made: dict[Penalty, Keeper] = {}
    for phase in plan.phases:
        penalty = phase.penalty if isinstance(phase, Train) else None
        if penalty is None or penalty in made:
            continue
        if penalty.kind != "replay":
            place = supply if phase.cache else replace(supply, store=None)
            made[penalty] = build_keeper(penalty, backbone, task.train, place)
        elif replayed is None:
            raise OptionError("--penalty replay: there is nothing to replay; add --source with data of the source")
        else:
            made[penalty] = build_replay(backbone, replayed, supply, penalty.strength)
    return made


def _solve(number: int, phase: Solve, plan: Plan, backbone: Backbone, head: Head, task: Task, supply: Supply) -> Step:
    """Solve a convex head on the features of the last stage and put it in `head`."""
    begun = time.perf_counter()
    samples = [*task.train.samples, *task.validation.samples]
    report = supply.progress
    features, extraction = head_features(
        backbone,
        samples,
        supply.store if phase.cache else None,
        reads=head.reads,
        taps=head.taps,
        device=supply.device,
        precision=supply.precision,
        progress=None if report is None else lambda done, total: report("features", done, total),
    )
    count = len(task.train)
    targets, held = np.asarray(task.train.targets), np.asarray(task.validation.targets)
    parts = 3 if head.reads == "pairs" else 1
    widths = [parts * backbone.outline.stages[tap].width for tap in head.taps]
    together = task.together(task.train.samples)
    if task.kind == "text-regression":
        solution = solve_ridge(features[:count], targets, phase, widths, together)
    else:
        solution = solve_logistic(features[:count], targets, len(task.classes), phase, plan.seed, widths, together)
    metrics = {"strength": solution.strength}
    if len(held):
        found = _measured(solution, features[count:], held)
        metrics |= {"loss": found.metrics["log_loss" if task.classes else "squared_error"], **found.metrics}
        # The strength is chosen and the validation part has said how good that is: now it may be learnt from.
        everything = np.concatenate([targets, held])
        if task.kind == "text-regression":
            solution = solve_ridge(features, everything, replace(phase, strengths=(solution.strength,)), widths)
        else:
            solution = solved(features, everything, len(task.classes), solution.chosen, widths)
    head.load_state_dict(solution.head.state_dict())
    seconds = time.perf_counter() - begun
    note = f"engine {extraction.engine}{_weighed(backbone, head, solution)}"
    return Step(number, 0, solution.loss, metrics, seconds, extraction.seconds, note, extraction.stored_seconds)


def _weighed(backbone: Backbone, head: Head, solution: Solution) -> str:
    """How much each stage says, where a pool reads more than one."""
    if len(solution.shares) < 2:
        return ""
    names = [backbone.outline.stages[tap].name for tap in head.taps]
    said = ", ".join(f"{name} {share:.0%}" for name, share in zip(names, solution.shares, strict=True))
    return f"; share of each stage: {said}"


def _measured(solution: Solution, features: Floats, targets: "NDArray[Any]") -> Evaluation:
    outputs = solution.outputs(features)
    if isinstance(solution.head, RidgeHead):
        return evaluate_quantities(targets, outputs[:, 0].double().numpy())
    return evaluate_probabilities(targets, outputs.double().softmax(dim=1).numpy())
