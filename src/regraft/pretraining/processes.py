"""The processes of a run: one, or as many as `torchrun` or `accelerate launch` started."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from accelerate import PartialState
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from regraft.running.devices import resolve_device


@dataclass(frozen=True)
class Processes:
    """Which of how many processes this is, and where it computes."""

    index: int
    count: int
    device: str

    @property
    def main(self) -> bool:
        """Whether this is the one that writes and talks."""
        return self.index == 0

    @property
    def kind(self) -> str:
        """`cpu`, `cuda`, `mps` or `xpu`."""
        return self.device.split(":", maxsplit=1)[0]

    def part(self, size: int) -> slice:
        """This process's part of a batch of `size`: contiguous, none lost."""
        return slice(size * self.index // self.count, size * (self.index + 1) // self.count)

    def parallel(self, learner: nn.Module) -> nn.Module:
        """The learner, its gradients averaged over all processes."""
        if self.count == 1:
            return learner
        ids = [torch.device(self.device)] if self.kind == "cuda" else None
        return DistributedDataParallel(learner, device_ids=ids)

    def mean(self, value: Tensor) -> Tensor:
        """The mean of a scalar over all processes."""
        if self.count == 1:
            return value
        gathered = value.clone()
        torch.distributed.all_reduce(gathered)
        return gathered / self.count

    @contextlib.contextmanager
    def main_first(self) -> Iterator[None]:
        """Inside, the main process is done before the others begin."""
        if not self.main:
            self.wait()
        yield
        if self.main:
            self.wait()

    def wait(self) -> None:
        """Until all processes are here."""
        if self.count > 1:
            torch.distributed.barrier()


def current_processes(device: str) -> Processes:
    """This process among those that were started together.

    Raises:
        OptionError: The device is unknown or absent.
    """
    named = resolve_device(device)
    state: Any = PartialState(cpu=named == "cpu")
    if state.num_processes == 1:
        return Processes(0, 1, named)
    device = "cpu" if state.device.type == "cpu" else str(state.device)  # which it calls cpu:0
    return Processes(state.process_index, state.num_processes, device)
