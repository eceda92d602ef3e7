"""How much memory a run will take at most, by a sum that is stated before it, and how much it took."""

import os
import sys
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from regraft.activations.extract import BATCH, SHARD_BYTES, TEXT_BATCH
from regraft.backbones.contract import Backbone, beside
from regraft.core import Plan, Sample, Solve, Task, TextSample, Train

MIB = 1 << 20
FLOAT = 4
# What the libraries take that are loaded once a run begins: the engine's compiler, the solver, the checkpoint's writer.
LIBRARIES = 450 * MIB
SHARD_COPIES = 3  # rows waiting, joined, and as bytes
BATCHES_AHEAD = 3
ENGINE_COPIES = 3  # the exported graph, the compiled weights, the guard's reference
# Per trained scalar, in floats: gradient, two moments, the best and the first weights, and those and the moments once
# more while a checkpoint is written.
TRAINED_COPIES = 5 + 5
SOLVER_COPIES = 6  # of the features: standardised, in double precision, one fold apart
SPARE = 1.15  # what allocators keep back


@dataclass(frozen=True)
class Memory:
    """Bytes that a run takes at most.

    Attributes:
        now: What the process holds already.
        frozen: Computing what is frozen: the engine, a batch on its way, the shard that is being filled.
        features: What is kept of every sample until the end of the run.
        training: Gradients, moments, copies of the weights, and what a batch leaves for the backward pass.
    """

    now: int
    frozen: int
    features: int
    training: int

    @property
    def total(self) -> int:
        """All of them; the frozen part is done before training begins, but its memory may not be given back."""
        return self.now + LIBRARIES + int(SPARE * (self.frozen + self.features + self.training))

    @property
    def sentence(self) -> str:
        """What to expect, in one sentence."""
        parts = {
            "features": self.features,
            "frozen part": self.frozen,
            "training": self.training,
            "program and libraries": self.now + LIBRARIES,
        }
        told = ", ".join(f"{name} {size / MIB:,.0f} MB" for name, size in parts.items() if size)
        return f"memory: at most about {self.total / MIB:,.0f} MB ({told})"


def expected_memory(plan: Plan, backbone: Backbone, task: Task) -> Memory:
    """What a plan will take on the processor, by the sizes that one sample of the task has in each stage.

    Args:
        plan: What will be run.
        backbone: The trunk.
        task: Labelled data; its longest text, or any of its pictures, stands for all.
    """
    inputs = backbone.collate([backbone.preprocess(_largest(task.train.samples))])
    stages = _stage_bytes(backbone, inputs)
    width, samples = backbone.outline.stages[-1].width, len(task.train) + len(task.validation)
    frozen = features = training = 0
    for phase in plan.phases:
        kept = len(stages) if isinstance(phase, Solve) else phase.frozen
        if kept and (isinstance(phase, Solve) or phase.cache):
            frozen = max(frozen, _frozen_bytes(backbone, inputs, stages[:kept]))
        if kept == len(stages):
            taps = phase.taps if isinstance(phase, Solve) else ()
            read = sum(backbone.outline.stages[tap].width for tap in taps) or width
            copies = SOLVER_COPIES if isinstance(phase, Solve) else 2
            features = max(features, samples * read * FLOAT * copies)
        if isinstance(phase, Train):
            training = max(training, _training_bytes(backbone, phase, stages) + _held_bytes(backbone, phase))
    return Memory(held_now(), frozen, features, training)


def held_now() -> int:
    """Bytes that this process holds."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123 - no file of the disk
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return peak_memory() or 0


def peak_memory() -> int | None:
    """The most bytes that this process has held so far; None where the system does not tell."""
    try:
        import resource  # noqa: PLC0415 - not on every system
    except ImportError:
        return None
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _largest(samples: tuple[Sample, ...]) -> Sample:
    return max(samples, key=lambda one: len(one.text) + len(one.text_pair or "") if isinstance(one, TextSample) else 0)


def _stage_bytes(backbone: Backbone, inputs: tuple[Tensor, ...]) -> list[tuple[int, int]]:
    """Of each stage for one sample: bytes of all layers' outputs together, and of the largest."""
    found: list[tuple[int, int]] = []
    sizes: list[int] = []

    def note(module: nn.Module, given: Any, output: Any) -> None:
        if isinstance(output, Tensor):
            sizes.append(output.numel() * FLOAT)

    leaves = [module for module in backbone.module.modules() if not any(module.children())]
    handles = [module.register_forward_hook(note) for module in leaves]
    try:
        with torch.inference_mode():
            state = beside(backbone, inputs)
            for stage in range(len(backbone.outline)):
                sizes.clear()
                state = backbone.run(state, stage, stage + 1)
                own = state[0].numel() * FLOAT
                found.append((sum(sizes) or own, max(sizes, default=own)))
    finally:
        for handle in handles:
            handle.remove()
    return found


def _frozen_bytes(backbone: Backbone, inputs: tuple[Tensor, ...], stages: list[tuple[int, int]]) -> int:
    batch = TEXT_BATCH if backbone.kind == "text" else BATCH
    weights = sum(stage.parameters for stage in backbone.outline.stages[: len(stages)]) * FLOAT
    ahead = BATCHES_AHEAD * batch * sum(one.numel() * one.element_size() for one in inputs)
    # Two neighbouring layers' values at a time, in the engine and in the reference that it is held against.
    passing = 4 * batch * max(largest for _, largest in stages)
    return ENGINE_COPIES * weights + ahead + passing + SHARD_COPIES * SHARD_BYTES


def _held_bytes(backbone: Backbone, phase: Train) -> int:
    """What a penalty holds beside the trunk: its first weights, or the whole of it as it was."""
    kind = phase.penalty.kind if phase.penalty else ""
    whole = kind == "l2-sp" or (kind == "lwf" and backbone.kind == "image")
    return backbone.outline.parameters * FLOAT if whole else 0


def _training_bytes(backbone: Backbone, phase: Train, stages: list[tuple[int, int]]) -> int:
    trained = sum(stage.parameters for stage in backbone.outline.stages[phase.frozen :])
    left = sum(total for total, _ in stages[phase.frozen :])
    largest = max((one for _, one in stages[phase.frozen :]), default=0)
    return trained * FLOAT * TRAINED_COPIES + phase.batch_size * (left + 3 * largest)
