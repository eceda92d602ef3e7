"""A training phase: epochs until the validation loss stops falling, resumable after each."""

import math
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor
from torch.optim import AdamW
from torch.optim.lr_scheduler import LambdaLR

from regraft.backbones.contract import Backbone
from regraft.core import Plan, Step, Task, Train, TrainingError
from regraft.heads import Head
from regraft.running.adapters import MARK, Adapted
from regraft.running.batches import Source, Supply, plain_order, text_lengths, training_order
from regraft.running.checkpoint import Checkpoint, Position, write_checkpoint
from regraft.running.devices import tunes_in_bf16
from regraft.running.freeze import FrozenSeal, apply_freeze
from regraft.running.loop import DivergedError, Network, Trainer, validate
from regraft.running.optimise import build_optimiser, build_schedule, parameter_groups
from regraft.running.penalties import Keeper

RETRY_SCALE = 0.1  # of every rate, after a loss that is not a number
ODD_START = 2.0  # a first loss above this many times that of a new head tells that something is wrong
MOMENTS = {"moment1": "exp_avg", "moment2": "exp_avg_sq", "step": "step"}


@dataclass(frozen=True)
class PhaseRun:
    """One training phase of a plan on one task.

    Attributes:
        plan: The whole plan.
        number: Which of its phases.
        phase: That phase.
        backbone: The trunk, trained in place.
        head: The head, trained in place.
        task: Where the samples are.
        supply: Makes batches.
        device: Where to compute.
        precision: `auto`, `fp32`, `bf16` or `int8`.
        folder: Of checkpoints; None = keep none.
        identity: What a checkpoint must belong to.
        progress: Called with (what, done, total).
        adapter_files: Filled with what peft saves, where adapters train.
        keeper: The phase's penalty.
    """

    plan: Plan
    number: int
    phase: Train
    backbone: Backbone
    head: Head
    task: Task
    supply: Supply
    device: str
    precision: str
    folder: Path | None
    identity: str
    progress: Callable[[str, int, int], None] | None
    adapter_files: dict[str, bytes]
    keeper: Keeper | None

    def steps(self, position: Position, tensors: dict[str, Tensor]) -> Iterator[Step]:
        """Run the epochs that are left; the best weights are in place when it is exhausted.

        Args:
            position: Where to go on.
            tensors: Of the checkpoint, empty at the beginning of the phase.
        """
        adapted = Adapted(self.backbone, self.phase, self.plan.seed) if self.phase.adapter else None
        self.backbone.module.to(self.device)
        self.head.to(self.device)
        apply_freeze(self.backbone, self.phase)
        seal = FrozenSeal(self.backbone, self.phase)
        work = _Work.begin(self, position, tensors)
        try:
            while not work.finished:
                try:
                    step = work.epoch()
                except DivergedError:
                    work = work.calmer()
                    continue
                yield step
        except BaseException:  # whoever stops early gets back a trunk of the layers that it had
            if adapted is not None:
                adapted.merge()
            raise
        work.restore_best()
        self.backbone.module.eval()
        self.head.eval()
        seal.check()
        if adapted is not None:
            self.adapter_files.update(adapted.files())
            adapted.merge()


@dataclass
class _Work:
    """The moving parts of a phase."""

    run: PhaseRun
    network: Network
    optimiser: AdamW
    schedule: LambdaLR
    position: Position
    best: dict[str, Tensor]
    start: dict[str, Tensor]
    sources: tuple[Source, Source | None] | None = None
    lengths: tuple[list[int], list[int]] | None = None

    @classmethod
    def begin(cls, run: PhaseRun, position: Position, tensors: dict[str, Tensor]) -> "_Work":
        """Fresh, or as a checkpoint says."""
        trained = run.phase.frozen < len(run.backbone.outline)
        low = trained and tunes_in_bf16(run.backbone, run.device, run.precision)
        # A last batch of one sample joins the one before it: all of that in one piece, for the batch statistics' sake.
        network = Network(run.backbone, run.head, run.device, low, run.phase.batch_size + 1)
        groups = parameter_groups(run.backbone, run.head, run.phase, position.scale)
        optimiser = build_optimiser(groups)
        schedule = build_schedule(optimiser, run.phase.warmup, run.phase.epochs * cls._batches(run))
        work = cls(run, network, optimiser, schedule, position, {}, {})
        work.start = work._tensors() if not tensors else _under(tensors, "start")
        if tensors:
            work._restore(tensors)
        return work

    def _sources(self) -> tuple[Source, Source | None]:
        """Where training and validation batches come from."""
        supply, task, phase = self.run.supply, self.run.task, self.run.phase
        held = supply.source(task.validation, phase, training=False) if len(task.validation) else None
        return supply.source(task.train, phase, training=True), held

    @staticmethod
    def _batches(run: PhaseRun) -> int:
        return len(training_order(len(run.task.train), run.phase.batch_size, (), ""))

    @property
    def finished(self) -> bool:
        """All epochs are done, or the validation loss has not fallen for too long."""
        phase = self.run.phase
        return self.position.epoch >= phase.epochs or (phase.patience > 0 and self.position.stale >= phase.patience)

    def epoch(self) -> Step:
        """One epoch, its validation and its checkpoint."""
        run, phase, epoch = self.run, self.run.phase, self.position.epoch
        begun = time.perf_counter()
        run.supply.extractions.clear()
        self.sources = self.sources or self._sources()  # once a phase: finding stored rows hashes the whole prefix
        train, held = self.sources
        filled = tuple(run.supply.extractions)
        apply_freeze(run.backbone, phase)
        run.head.train()
        chunk = self.network.chunk
        self.lengths = self.lengths or (
            text_lengths(run.backbone, run.task.train),
            text_lengths(run.backbone, run.task.validation),
        )
        order = training_order(
            len(run.task.train),
            phase.batch_size,
            self.lengths[0],
            f"{run.plan.seed}/{run.number}/{epoch}",
        )
        if run.keeper is not None:
            run.keeper.begin(self.network.last_state, phase, order, epoch)
        targets = torch.tensor(run.task.train.targets)
        trainer = Trainer(self.network, phase, self.optimiser, self.schedule, targets, run.progress, run.keeper)
        with torch.random.fork_rng():
            torch.manual_seed(_seed(run.plan.seed, run.number, epoch))  # of dropout
            loss = trainer.epoch(train, order, epoch)
        metrics = {"loss": loss}
        if held is not None:
            held_order = plain_order(len(run.task.validation), phase.batch_size, self.lengths[1])
            wanted = torch.tensor(run.task.validation.targets)
            metrics = validate(self.network, held, held_order, wanted, phase.label_smoothing)
            if not math.isfinite(metrics["loss"]):  # the last step went too far: no later one would tell
                raise DivergedError
        step = Step(
            run.number,
            epoch,
            loss,
            metrics,
            time.perf_counter() - begun,
            sum(one.seconds for one in filled),
            self._note(epoch, loss, chunk),
            sum(one.stored_seconds for one in filled),
        )
        self._advance(step)
        return step

    def _note(self, epoch: int, loss: float, chunk: int) -> str:
        """What is worth telling of an epoch."""
        notes = []
        if self.network.chunk < chunk:
            same = self.run.phase.batch_norm == "frozen"
            steps = "same steps" if same else "statistics of BatchNorm are of as many"
            notes.append(f"memory ran out: {self.network.chunk} samples at a time, {steps}")
        if epoch == 0 and self.position.scale < 1:
            notes.append(f"the loss was not a number: begun again at {self.position.scale:g} of the rates")
        expected = self.run.head.first_loss()
        if epoch == 0 and self.run.number == 0 and expected is not None and loss > ODD_START * expected:
            notes.append(f"mean loss of the first epoch {loss:.2f}, a new head starts near {expected:.2f}")
        return "; ".join(notes)

    def _advance(self, step: Step) -> None:
        better = step.metrics["loss"] < self.position.best_loss
        if better:
            self.best = self._tensors()
        self.position = replace(
            self.position,
            epoch=self.position.epoch + 1,
            best_loss=min(step.metrics["loss"], self.position.best_loss),
            stale=0 if better else self.position.stale + 1,
            steps=(*self.position.steps, step),
        )
        if self.run.folder is not None:
            write_checkpoint(self.run.folder, self.run.identity, Checkpoint(self.position, self._everything()))

    def calmer(self) -> "_Work":
        """The phase from its beginning at a tenth of the rates.

        Raises:
            TrainingError: That was tried already.
        """
        if self.position.scale < 1:
            raise TrainingError(
                "the loss became not a number twice, the second time at a tenth of the rates; "
                "give a smaller --lr, or --precision fp32"
            )
        self._load(self.start)
        kept = tuple(step for step in self.position.steps if step.phase != self.run.number)
        return _Work.begin(self.run, Position(self.run.number, scale=RETRY_SCALE, steps=kept), {})

    def restore_best(self) -> None:
        """Put the weights of the best epoch in place, or those that the phase began with where each epoch was worse."""
        if self._first_loss() < self.position.best_loss:
            self._load(self.start)
        elif self.best:
            self._load(self.best)

    def _first_loss(self) -> float:
        """The held-out loss that the phase began with: the best of those before it; infinite where that is not known."""
        run = self.run
        before = run.plan.phases[: run.number]
        alike = all(isinstance(one, Train) and one.label_smoothing == run.phase.label_smoothing for one in before)
        if not alike or not len(run.task.validation):
            return math.inf
        return min((one.metrics["loss"] for one in self.position.steps if one.phase < run.number), default=math.inf)

    def _trained(self) -> dict[str, Tensor]:
        """Every tensor that this phase may change, by name: trained stages with their buffers, and the head."""
        run = self.run
        prefixes = tuple(name for stage in run.backbone.outline.stages[run.phase.frozen :] for name in stage.modules)
        trunk = {
            f"trunk.{name}": tensor
            for name, tensor in run.backbone.module.state_dict().items()
            if any(name == prefix or name.startswith(prefix + ".") for prefix in prefixes)
            and (run.phase.adapter is None or MARK in name)
        }
        return {**trunk, **{f"head.{name}": tensor for name, tensor in run.head.state_dict().items()}}

    def _tensors(self) -> dict[str, Tensor]:
        return {name: tensor.detach().clone() for name, tensor in self._trained().items()}

    def _load(self, values: dict[str, Tensor]) -> None:
        with torch.no_grad():
            for name, tensor in self._trained().items():
                tensor.copy_(values[name])

    def _everything(self) -> dict[str, Tensor]:
        parts = {"now": self._tensors(), "best": self.best, "start": self.start}
        tensors = {f"{part}/{name}": one for part, values in parts.items() for name, one in values.items()}
        for group_number, group in enumerate(self.optimiser.param_groups):
            for number, parameter in enumerate(group["params"]):
                state = self.optimiser.state.get(parameter, {})
                for part, key in MOMENTS.items():
                    if key in state:
                        tensors[f"{part}/{group_number}.{number}"] = state[key]
        return tensors

    def _restore(self, tensors: dict[str, Tensor]) -> None:
        self._load(_under(tensors, "now"))
        self.best = {name: one.to(self.run.device) for name, one in _under(tensors, "best").items()}
        for group_number, group in enumerate(self.optimiser.param_groups):
            for number, parameter in enumerate(group["params"]):
                place = f"{group_number}.{number}"
                if f"step/{place}" in tensors:
                    self.optimiser.state[parameter] = {
                        key: tensors[f"{part}/{place}"].to(parameter.device) for part, key in MOMENTS.items()
                    }
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the optimiser's steps were taken before the run was interrupted
            for _ in range(self.position.epoch * self._batches(self.run)):
                self.schedule.step()


def _under(tensors: dict[str, Tensor], part: str) -> dict[str, Tensor]:
    return {name.removeprefix(f"{part}/"): one for name, one in tensors.items() if name.startswith(f"{part}/")}


def _seed(seed: int, phase: int, epoch: int) -> int:
    return (seed * 1_000_003 + phase * 1_009 + epoch) % (1 << 31)
