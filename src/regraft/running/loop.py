"""One epoch of gradient descent, and one pass of validation."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.optim import AdamW
from torch.optim.lr_scheduler import LambdaLR

from regraft.activations.engine import fast_matmul, full_float32
from regraft.backbones.contract import Backbone, State
from regraft.core import Train, TrainingError
from regraft.heads import Head
from regraft.running.batches import Source
from regraft.running.penalties import Keeper

Progress = Callable[[str, int, int], None]

# As PyTorch's allocators and oneDNN say it.
SHORT_OF_MEMORY = ("can't allocate memory", "not enough memory", "out of memory", "bad_alloc", "ALLOC_FAILED")


class DivergedError(Exception):
    """The loss is not a number."""


def ran_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory did not suffice; on a processor PyTorch has no type of its own for that."""
    if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error) for words in SHORT_OF_MEMORY)


@dataclass
class Network:
    """Trunk and head as one function from a source's states to outputs.

    Attributes:
        backbone: After `apply_freeze`.
        head: From what it reads of the trunk to outputs.
        device: Where both are.
        low_precision: Compute trained stages in bf16.
        chunk: Most samples at a time; less than a batch after memory ran out.
    """

    backbone: Backbone
    head: Head
    device: str
    low_precision: bool
    chunk: int

    def outputs(self, state: State, start: int, frozen: int) -> Tensor:
        """The head's outputs, float32, of a state that enters stage `start`; frozen stages build no graph."""
        return self.read(self.last_state(state, start, frozen))

    def last_state(self, state: State, start: int, frozen: int, trunk: Backbone | None = None) -> State:
        """The state that leaves the last stage; pooled features are taken for it as they are.

        Of `trunk`, where one is given instead of the network's own.
        """
        trunk = trunk or self.backbone
        last = len(trunk.outline)
        state = tuple(_laid_out(one.to(self.device)) for one in state)
        if start >= last:
            return state
        with self._autocast():
            with torch.no_grad():
                state = trunk.run(state, start, max(start, frozen))
            return trunk.run(state, max(start, frozen), last)

    def read(self, state: State) -> Tensor:
        """The head's outputs for a last state, or for pooled features."""
        if self.head.reads != "tokens" and (len(state) > 1 or state[0].ndim != 2):
            with self._autocast():
                state = (self.backbone.pool(state, len(self.backbone.outline) - 1),)
        first, *rest = state
        outputs: Tensor = self.head(first.float(), *rest)  # in full precision: it is small and decides the result
        return outputs

    def halve_chunk(self, error: BaseException, samples: int) -> None:
        """Take fewer samples at a time from now on, if an error in computing so many says that memory ran out.

        Raises:
            TrainingError: It ran out with a single sample; any other error is raised as it is.
        """
        if not ran_out_of_memory(error):
            raise error
        if self.chunk == 1:
            raise TrainingError("memory does not suffice for one sample; freeze more with --boundary") from error
        self.chunk = max(min(self.chunk, samples) // 2, 1)

    @contextmanager
    def _autocast(self) -> Iterator[None]:
        with full_float32(), torch.autocast(self.device.split(":")[0], torch.bfloat16, enabled=self.low_precision):
            yield


@dataclass(frozen=True)
class Trainer:
    """What an epoch needs besides its data."""

    network: Network
    phase: Train
    optimiser: AdamW
    schedule: LambdaLR
    targets: Tensor
    progress: Progress | None
    keeper: Keeper | None = None

    def epoch(self, source: Source, order: list[list[int]], epoch: int) -> float:
        """Train on every batch once; the mean loss of the samples.

        Raises:
            DivergedError: A loss is not a number.
            TrainingError: Memory does not suffice for a single sample, or for the optimiser.
        """
        total = 0.0
        for number, (positions, state) in enumerate(zip(order, source.batches(order, epoch), strict=True)):
            total += self._step(state, positions, source.start) * len(positions)
            if self.progress is not None:
                self.progress(f"epoch {epoch + 1}", number + 1, len(order))
        return total / sum(map(len, order))

    def _step(self, state: State, positions: list[int], start: int) -> float:
        """One optimiser step; halves the chunk and repeats the batch when memory runs out."""
        while True:
            try:
                self.optimiser.zero_grad(set_to_none=True)
                loss = self._accumulate(state, positions, start)
                break
            except (RuntimeError, MemoryError) as error:
                self.network.halve_chunk(error, len(positions))
        if not math.isfinite(loss):
            raise DivergedError
        self._descend()
        return loss

    def _descend(self) -> None:
        """Clip the gradients and follow them; what memory runs out in is half done, so that it cannot be repeated."""
        trained = [one for group in self.optimiser.param_groups for one in group["params"]]
        try:
            nn.utils.clip_grad_norm_(trained, self.phase.clip_norm)
            self.optimiser.step()
        except (RuntimeError, MemoryError) as error:
            if not ran_out_of_memory(error):
                raise
            count = sum(one.numel() for one in trained)
            raise TrainingError(
                f"memory does not suffice for the optimiser's two moments of {count:,} trained parameters; "
                "freeze more with --boundary, or take --strategy lora"
            ) from error
        self.schedule.step()

    def _accumulate(self, state: State, positions: list[int], start: int) -> float:
        """Gradients of the batch's mean loss, chunk by chunk; returns that loss."""
        head, targets, total = self.network.head, self.targets[positions], 0.0
        terms = max(head.terms(targets), 1)
        for begin in range(0, len(targets), self.network.chunk):
            part = slice(begin, begin + self.network.chunk)
            entered = tuple(one[part] for one in state)
            left = self.network.last_state(entered, start, self.phase.frozen)
            outputs = self.network.read(left)
            loss = head.loss(outputs, targets[part].to(outputs.device), self.phase.label_smoothing) / terms
            if self.keeper is not None:
                rows = positions[part]
                loss = loss + self.keeper.loss(rows, entered, start, left) * (len(rows) / len(positions))
            with fast_matmul():
                loss.backward()  # type: ignore[no-untyped-call]
            total += float(loss.detach())
        return total


def validate(
    network: Network, source: Source, order: list[list[int]], targets: Tensor, label_smoothing: float = 0.0
) -> dict[str, float]:
    """Loss on a split, and accuracy where it has a meaning, everything in evaluation mode.

    The loss is the one that is trained, label smoothing included. Without it a network that is trained with smoothing
    seems to get worse once it is no surer than it should be, and a task that is nearly solved stops too early.

    Raises:
        TrainingError: Memory does not suffice for a single sample.
    """
    network.backbone.module.eval()
    network.head.eval()
    loss, right, exact = 0.0, 0, True
    with torch.inference_mode(), fast_matmul():
        for positions, state in zip(order, source.batches(order, 0), strict=True):
            one, hits = _judged(network, state, source.start, targets[positions], label_smoothing)
            loss, right, exact = loss + one, right + (hits or 0), exact and hits is not None
    terms = max(network.head.terms(targets), 1)
    return {"loss": loss / terms} | ({"accuracy": right / terms} if exact else {})


def _judged(
    network: Network, state: State, start: int, targets: Tensor, label_smoothing: float
) -> tuple[float, int | None]:
    """The summed loss of a batch and how many are right, if that means something; in halves when memory runs out."""
    while True:
        try:
            loss, right, exact = 0.0, 0, True
            for begin in range(0, len(targets), network.chunk):
                part = slice(begin, begin + network.chunk)
                outputs = network.outputs(tuple(one[part] for one in state), start, len(network.backbone.outline))
                wanted = targets[part].to(outputs.device)
                loss += float(network.head.loss(outputs, wanted, label_smoothing))
                hits = network.head.right(outputs, wanted)
                right, exact = right + (hits or 0), exact and hits is not None
        except (RuntimeError, MemoryError) as error:
            network.halve_chunk(error, len(targets))
        else:
            return loss, right if exact else None


def _laid_out(values: Tensor) -> Tensor:
    """Feature maps with channels last, which convolutions on a processor read 1.2 to 2 times faster."""
    return values.contiguous(memory_format=torch.channels_last) if values.ndim == 4 else values
