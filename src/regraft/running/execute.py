"""Run a plan, phase by phase, yielding what was done."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from torch import nn

from regraft.activations.extract import pooled_features
from regraft.activations.recipes import prefix_hash
from regraft.activations.store import ActivationStore
from regraft.backbones.contract import Backbone
from regraft.core import Plan, Solve, Step, Task
from regraft.evaluating import evaluate_probabilities
from regraft.running.batches import Supply
from regraft.running.checkpoint import Checkpoint, Position, read_checkpoint, run_identity
from regraft.running.devices import resolve_device
from regraft.running.phase import PhaseRun
from regraft.running.probe import solve_logistic

Progress = Callable[[str, int, int], None]


def execute(  # noqa: PLR0913 - what a caller may say
    plan: Plan,
    backbone: Backbone,
    head: nn.Module,
    task: Task,
    *,
    store: ActivationStore | None,
    folder: Path | None,
    device: str = "auto",
    precision: str = "auto",
    resume: bool = False,
    progress: Progress | None = None,
) -> Iterator[Step]:
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

    Raises:
        PlanError: The plan does not fit the outline.
        OptionError: `resume` with another plan or other data, or an unknown device.
        TrainingError: See `PhaseRun`.
        FrozenDriftError: A frozen byte changed.
    """
    plan.check(backbone.outline)
    device = resolve_device(device)
    identity = run_identity(plan, prefix_hash(backbone, len(backbone.outline)), task.fingerprint)
    found = read_checkpoint(folder, identity) if resume and folder is not None else None
    done = found or Checkpoint(Position(), {})
    yield from done.position.steps
    supply = Supply(backbone, store, device, precision, plan.seed, progress, [])
    steps = list(done.position.steps)
    for number, phase in enumerate(plan.phases):
        if number < done.position.phase:
            continue
        if isinstance(phase, Solve):
            step = _solve(number, phase, plan, backbone, head, task, supply)
            steps.append(step)
            yield step
            continue
        going_on = number == done.position.phase and bool(done.tensors)
        position = done.position if going_on else Position(number, steps=tuple(steps))
        run = PhaseRun(plan, number, phase, backbone, head, task, supply, device, precision, folder, identity, progress)
        for step in run.steps(position, done.tensors if going_on else {}):
            steps.append(step)
            yield step
    backbone.module.cpu()
    head.cpu()


def _solve(
    number: int, phase: Solve, plan: Plan, backbone: Backbone, head: nn.Module, task: Task, supply: Supply
) -> Step:
    """Solve a convex head on the features of the last stage and put it in `head`."""
    begun = time.perf_counter()
    samples = [*task.train.samples, *task.validation.samples]
    report = supply.progress
    (features,), extraction = pooled_features(
        backbone,
        samples,
        supply.store,
        stages=[len(backbone.outline) - 1],
        device=supply.device,
        precision=supply.precision,
        progress=None if report is None else lambda done, total: report("features", done, total),
    )
    count = len(task.train)
    targets = np.asarray(task.train.targets)
    solution = solve_logistic(features[:count], targets, len(task.classes), phase, plan.seed)
    metrics = {"strength": solution.strength}
    if len(task.validation):
        held = np.asarray(task.validation.targets)
        found = evaluate_probabilities(held, solution.probabilities(features[count:]))
        metrics |= {"loss": found.metrics["log_loss"], **found.metrics}
        # The strength is chosen and the validation part has said how good that is: now it may be learnt from.
        solution = solve_logistic(
            features,
            np.concatenate([targets, held]),
            len(task.classes),
            replace(phase, strengths=(solution.strength,)),
            0,
        )
    head.load_state_dict(solution.head.state_dict())
    seconds = time.perf_counter() - begun
    return Step(number, 0, solution.loss, metrics, seconds, extraction.seconds, f"engine {extraction.engine}")
