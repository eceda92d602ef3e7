"""The training loop of every objective: a generator of reports, exactly resumable.

Each step's batch and every random number in it are functions of (seed, step): where a run stands is its weights,
its optimiser's moments and a number.
"""

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import AdamW

from regraft.activations.engine import fast_matmul
from regraft.core import TrainingError
from regraft.pretraining.checkpoint import read_checkpoint, write_checkpoint
from regraft.pretraining.contract import Draw, Objective
from regraft.pretraining.processes import Processes
from regraft.pretraining.recipes import Schedule
from regraft.running.optimise import build_optimiser, warmup_cosine

PROBES = 12  # held-out figures per run


@dataclass(frozen=True)
class Report:
    """Where a run stands.

    Attributes:
        step: Steps done, of `steps`.
        samples: Samples seen, repetitions counted.
        epoch: Passes over the data done.
        loss: Mean over the samples since the last report.
        rate: Learning rate of the last step.
        samples_per_second: Since the last report, over all processes.
        seconds_left: Until the last step.
        metrics: Held-out figures, at some reports.
    """

    step: int
    steps: int
    samples: int
    epoch: float
    loss: float
    rate: float
    samples_per_second: float
    seconds_left: float
    metrics: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Keeping:
    """Where checkpoints go and how often.

    Attributes:
        folder: Of the run.
        identity: What must be the same for a run to be resumed.
        every_seconds: Between checkpoints; they are taken at reports, so that a resumed log has the same lines.
        report_steps: Steps between reports.
    """

    folder: Path
    identity: str
    every_seconds: float = 120.0
    report_steps: int = 20


@dataclass
class Run:
    """A run in one process."""

    objective: Objective
    schedule: Schedule
    seed: int
    processes: Processes
    low_precision: bool
    keeping: Keeping

    def __post_init__(self) -> None:
        self.batch = min(self.schedule.batch_size, self.objective.count)
        self.per_epoch = max(self.objective.count // self.batch, 1)
        self.steps = max(round(self.schedule.epochs * self.per_epoch), 1)
        self._order: tuple[int, Tensor] = (-1, torch.empty(0))

    def reports(self) -> Iterator[Report]:
        """Train to the end, from where the folder's checkpoint is if there is one.

        Raises:
            TrainingError: The loss is not a number.
        """
        learner = self.objective.learner.to(self.processes.device)
        optimiser = build_optimiser(weight_groups(learner, self.schedule.weight_decay))
        done = read_checkpoint(self.keeping.folder, self.keeping.identity, learner, optimiser)
        network, clock = self.processes.parallel(learner), _Clock()
        with torch.random.fork_rng(), fast_matmul():
            for step in range(done, self.steps):
                clock.losses.append(self._step(network, optimiser, step))
                if (step + 1) % self.keeping.report_steps == 0 or step + 1 == self.steps:
                    yield self._report(step + 1, clock, optimiser)
                    self._keep(step + 1, clock, learner, optimiser)

    def _step(self, network: nn.Module, optimiser: AdamW, step: int) -> Tensor:
        """One optimiser step; the batch's mean loss, of this process's part."""
        share = step / self.steps
        rate = self.schedule.learning_rate * warmup_cosine(step, self.schedule.warmup_share, self.steps)
        for group in optimiser.param_groups:
            group["lr"] = rate
        torch.manual_seed(self._number(step))  # of dropout and the like
        draw = self._draw(step, share)
        network.train()
        optimiser.zero_grad(set_to_none=True)
        with torch.autocast(self.processes.kind, torch.bfloat16, enabled=self.low_precision):
            total = network(*(one.to(self.processes.device, non_blocking=True) for one in draw.inputs))
        # Gradients are averaged over processes: the sum over all of them, by the terms of all of them.
        loss: Tensor = total * (self.processes.count / max(draw.terms, 1))
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(network.parameters(), self.schedule.clip_norm)
        optimiser.step()
        return loss.detach()

    def _draw(self, step: int, share: float) -> Draw:
        generator = torch.Generator().manual_seed(self._number(step) + 1)
        epoch, place = divmod(step, self.per_epoch)
        if self._order[0] != epoch:
            shuffled = torch.Generator().manual_seed(self._number(-epoch) + 2)
            self._order = (epoch, torch.randperm(self.objective.count, generator=shuffled))
        rows = self._order[1][place * self.batch : (place + 1) * self.batch].tolist()
        return self.objective.draw(rows, self.processes.part(len(rows)), generator, share)

    def _number(self, step: int) -> int:
        """A seed that no two steps share."""
        return (self.seed * 1_000_003 + step * 4) % (1 << 62)

    def _report(self, step: int, clock: "_Clock", optimiser: AdamW) -> Report:
        loss = float(self.processes.mean(torch.stack(clock.losses).double().mean()))
        if not math.isfinite(loss):
            raise TrainingError(f"step {step}: the loss is not a number; lower --lr and start again")
        seconds, taken = clock.lap(), len(clock.losses)
        clock.losses.clear()
        metrics: dict[str, float] = {}
        probing = max(self.steps // PROBES, self.keeping.report_steps)
        last = step == self.steps
        if last or step % (probing - probing % self.keeping.report_steps or probing) == 0:
            if self.processes.main:
                metrics = self.objective.held_out(self.processes.device, all_of_it=last)
            self.processes.wait()
            clock.skip()
        costs = [self.objective.cost(one / self.steps) for one in range(step - taken, self.steps)]
        left = seconds * sum(costs[taken:]) / sum(costs[:taken])
        return Report(
            step=step,
            steps=self.steps,
            samples=step * self.batch,
            epoch=step / self.per_epoch,
            loss=loss,
            rate=float(optimiser.param_groups[0]["lr"]),
            samples_per_second=taken * self.batch / seconds,
            seconds_left=left,
            metrics=metrics,
        )

    def _keep(self, step: int, clock: "_Clock", learner: nn.Module, optimiser: AdamW) -> None:
        """Write a checkpoint if it is time; one process does."""
        if self.processes.main and (step == self.steps or clock.since_kept() >= self.keeping.every_seconds):
            write_checkpoint(self.keeping.folder, self.keeping.identity, step, learner, optimiser)
            clock.kept()
            clock.skip()


class _Clock:
    """Seconds of training, without those of probing and saving."""

    def __init__(self) -> None:
        self.losses: list[Tensor] = []
        self._begun = self._kept = time.perf_counter()

    def lap(self) -> float:
        now = time.perf_counter()
        seconds, self._begun = now - self._begun, now
        return max(seconds, 1e-9)

    def skip(self) -> None:
        self._begun = time.perf_counter()

    def since_kept(self) -> float:
        return time.perf_counter() - self._kept

    def kept(self) -> None:
        self._kept = time.perf_counter()


def weight_groups(learner: nn.Module, decay: float) -> list[dict[str, Any]]:
    """All trained tensors, each in one of two groups: with decay, and without it those of one dimension."""
    trained = [one for one in learner.parameters() if one.requires_grad]
    return [
        {"name": "decay", "params": [one for one in trained if one.ndim > 1], "weight_decay": decay},
        {"name": "no-decay", "params": [one for one in trained if one.ndim <= 1], "weight_decay": 0.0},
    ]
