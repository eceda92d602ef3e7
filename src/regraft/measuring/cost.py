"""What a plan will cost on this machine, before anything of it runs."""

import time
from dataclasses import dataclass

import torch

from regraft.activations.engine import fast_matmul
from regraft.activations.extract import MOST_VIEWS
from regraft.backbones.contract import Backbone, State
from regraft.core import Plan, Sample, Solve, Split, Task, Train
from regraft.running.batches import text_lengths
from regraft.running.devices import tunes_in_bf16

# Samples in the timed batch. In a step of eight short texts each takes up to twice the time that it does in one of 32,
# which is what training has; a picture takes about the same in both.
TIMED = {"image": 8, "text": 32}
REPEATS = 2  # of which the faster counts: a busy machine only ever makes it slower
ADAPTED = 0.9  # of a training step where only adapters learn: gradients of activations remain (benchmarks/README.md)
HIDDEN = 0.5  # share of reading and preprocessing that is not hidden behind the network, threads ahead
LATE_STOP = 0.75  # share of the epochs that are run before the validation loss has stopped falling (oracle.jsonl)
SOLVER_FLOPS = 4e9  # a second, of the convex solver on one core
SOLVER_PASSES = 600  # over the features, for the whole path of strengths and folds
POOL_PASSES = 2  # times as many where all stages are pooled
LOOKED_AT = 512  # texts of which lengths are read: enough for their mean, whatever the task's size
HEAD_STEP = 0.0015  # seconds a step of a head on stored features
MOMENT_SECONDS = 2.5e-9  # AdamW, a parameter and step: 28 bytes at what memory yields
START_UP = 0.5  # seconds: opening, hashing, evaluating


@dataclass(frozen=True)
class Speed:
    """Seconds that one sample takes.

    Attributes:
        prepare: To be read and preprocessed.
        forward: Through each stage, without a graph.
        learn: Of a training step through the whole trunk, as a multiple of all of `forward`; training may
            compute in bf16, so that it is not always above 2.
        parameters: Of each stage.
        widths: D of each stage.
    """

    prepare: float
    forward: tuple[float, ...]
    learn: float
    parameters: tuple[int, ...]
    widths: tuple[int, ...]


@dataclass(frozen=True)
class Counts:
    """Samples that a fit will read.

    Attributes:
        train: To learn from.
        validation: To choose by.
        test: To report on.
        stored: Of the first two, those whose pooled features are in the store already.
        classes: C; 1 for a quantity.
        picture: Whether they are pictures: random views differ from the plain one.
    """

    train: int
    validation: int
    test: int
    stored: int
    classes: int
    picture: bool

    @classmethod
    def of(cls, task: Task, stored: int) -> "Counts":
        """Those of a task."""
        test = task.test
        return cls(
            len(task.train),
            len(task.validation),
            0 if test is None else len(test),
            stored,
            max(len(task.classes), 1),
            task.kind == "image-classification",
        )


def measured_speed(backbone: Backbone, task: Task, device: str, precision: str = "auto") -> Speed:
    """Seconds per sample of one timed batch of the task's own training samples; the weights stay as they are.

    Args:
        backbone: Whose speed it is.
        task: Where the samples are from.
        device: Where a fit would compute.
        precision: What a fit would be asked for: `auto`, `fp32`, `bf16` or `int8`.
    """
    samples = _timed_samples(backbone, task)
    begun = _now()
    inputs = [backbone.preprocess(sample) for sample in samples]
    prepare = _now() - begun
    module, outline = backbone.module, backbone.outline
    was_training = module.training
    learning = [parameter.requires_grad for parameter in module.parameters()]
    module.to(device).eval()
    state: State = tuple(one.to(device) for one in backbone.collate(inputs))
    try:
        with fast_matmul():
            forward = _forward_seconds(backbone, state)
            learn = _training_seconds(backbone, state, low_precision=tunes_in_bf16(backbone, device, precision))
    finally:
        for parameter, wanted in zip(module.parameters(), learning, strict=True):
            parameter.requires_grad_(wanted)
            parameter.grad = None
        module.cpu().train(was_training)
    count = len(samples)
    return Speed(
        prepare / count,
        tuple(one / count for one in forward),
        learn / max(sum(forward), 1e-9),
        tuple(stage.parameters for stage in outline),
        tuple(stage.width for stage in outline),
    )


def _timed_samples(backbone: Backbone, task: Task) -> list[Sample]:
    """Pictures from all over the training part; texts of about the mean length, as a batch of like lengths has them."""
    count = TIMED[backbone.kind]
    samples = _spread(task.train.samples, count if backbone.kind == "image" else LOOKED_AT)
    lengths = text_lengths(backbone, Split(samples, ()))
    if not lengths:
        return list(samples)
    order = sorted(range(len(lengths)), key=lengths.__getitem__)
    mean = sum(lengths) / len(lengths)
    begin = sum(length < mean for length in lengths) - count // 2
    begin = max(min(begin, len(order) - count), 0)
    return [samples[position] for position in order[begin : begin + count]]


def _spread(samples: tuple[Sample, ...], most: int) -> tuple[Sample, ...]:
    """At most so many, from all over."""
    return samples[:: max(len(samples) // most, 1)][:most]


def _forward_seconds(backbone: Backbone, state: State) -> list[float]:
    """Seconds of each stage for the batch."""
    with torch.inference_mode():
        backbone.run(state, 0, len(backbone.outline))  # the first pass sets things up
        passes = [_one_pass(backbone, state) for _ in range(REPEATS)]
    return [min(seconds) for seconds in zip(*passes, strict=True)]


def _one_pass(backbone: Backbone, state: State) -> list[float]:
    seconds = []
    for stage in range(len(backbone.outline)):
        begun = _now()
        state = backbone.run(state, stage, stage + 1)
        seconds.append(_now() - begun)
    return seconds


def _training_seconds(backbone: Backbone, state: State, *, low_precision: bool) -> float:
    """Seconds of a forward and backward pass through the whole trunk for the batch."""
    kind = state[0].device.type
    for parameter in backbone.module.parameters():
        parameter.requires_grad_(True)

    def step() -> None:
        with torch.autocast(kind, torch.bfloat16, enabled=low_precision):
            left = backbone.run(state, 0, len(backbone.outline))
            pooled = backbone.pool(left, len(backbone.outline) - 1)
        pooled.float().pow(2).mean().backward()  # type: ignore[no-untyped-call]

    seconds = []
    for _ in range(REPEATS):
        begun = _now()
        step()
        seconds.append(_now() - begun)
    return min(seconds)


def _now() -> float:
    """Seconds, once everything that was asked of an accelerator is done."""
    if torch.accelerator.is_available():
        torch.accelerator.synchronize()
    return time.perf_counter()


def predicted_seconds(plan: Plan, speed: Speed, counts: Counts) -> float:
    """Wall time of `fit` with this plan, evaluation of the test part included.

    Args:
        plan: What would run.
        speed: Of this backbone on this machine.
        counts: Of the task.
    """
    whole = speed.prepare + sum(speed.forward)
    total = START_UP + counts.test * whole
    for phase in plan.phases:
        total += (
            _solve_seconds(phase, speed, counts) if isinstance(phase, Solve) else _train_seconds(phase, speed, counts)
        )
    return total


def _solve_seconds(phase: Solve, speed: Speed, counts: Counts) -> float:
    """Features that are not stored yet, and the convex solver."""
    count = counts.train + counts.validation
    features = max(count - counts.stored, 0) * (speed.prepare + sum(speed.forward))
    width = sum(speed.widths[tap] for tap in phase.taps or (len(speed.widths) - 1,))
    passes = SOLVER_PASSES * (POOL_PASSES if len(phase.taps) > 1 else 1)
    return features + passes * 4 * counts.train * width * counts.classes / SOLVER_FLOPS


def _train_seconds(phase: Train, speed: Speed, counts: Counts) -> float:
    """Boundary activations, and epochs of training and validation."""
    frozen = phase.frozen
    steps = -(-counts.train // phase.batch_size)
    stops = 0 < phase.patience < phase.epochs and counts.validation
    epochs = max(LATE_STOP * phase.epochs, min(phase.patience + 1, phase.epochs)) if stops else phase.epochs
    stored = phase.cache and frozen > 0
    prefix = speed.prepare + sum(speed.forward[:frozen])
    filling = prefix * (counts.train * _views(phase, counts) + counts.validation) if stored else 0.0
    suffix = sum(speed.forward[frozen:])
    reading = 0.0 if stored else HIDDEN * speed.prepare + sum(speed.forward[:frozen])
    learning = suffix * speed.learn * (ADAPTED if phase.adapter else 1.0)
    moments = MOMENT_SECONDS * sum(speed.parameters[frozen:]) * (0.05 if phase.adapter else 1.0)
    epoch = counts.train * (reading + learning) + counts.validation * (reading + suffix) + steps * (moments + HEAD_STEP)
    return filling + epochs * epoch


def _views(phase: Train, counts: Counts) -> int:
    """Stored views of a training sample."""
    if not (phase.augment and counts.picture):
        return 1
    return phase.views or min(MOST_VIEWS, -(-phase.epochs // 4))


__all__ = ["Counts", "Speed", "measured_speed", "predicted_seconds"]
