"""Between batches of states and the rows of a shard."""

import time
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from regraft.activations.store import Place, Recipe
from regraft.backbones.contract import State

if TYPE_CHECKING:
    from pathlib import Path

Floats = NDArray[np.float32]

HIDDEN, LENGTHS = "hidden", "lengths"
STATE = "state"


class MemoryRecipe:
    """A recipe in memory, for when nothing is to be kept."""

    def __init__(self) -> None:
        self._shards: list[dict[str, Tensor]] = []
        self._places: dict[str, tuple[int, int]] = {}

    def missing(self, keys: Sequence[str]) -> list[int]:
        """Positions of keys without a row."""
        return [position for position, key in enumerate(keys) if key not in self._places]

    def place(self, key: str) -> Place:
        """Where a row is; the shard's number stands for its file."""
        from pathlib import Path  # noqa: PLC0415

        shard, row = self._places[key]
        return Place(Path(str(shard)), row)

    def hold(self, keys: Sequence[str]) -> None:
        """Nothing is evicted from memory."""

    def tensors(self, shard: "Path") -> dict[str, Tensor]:
        """The tensors of a shard."""
        return self._shards[int(shard.name)]

    def rows(self, shard: "Path", name: str, rows: Sequence[int]) -> Tensor:
        """A copy of some rows of one tensor."""
        return self._shards[int(shard.name)][name][list(rows)]

    def seconds(self, keys: Iterable[str]) -> float:
        """Nothing is there from before."""
        return 0.0

    def append(self, keys: Sequence[str], tensors: dict[str, Tensor], seconds: float = 0.0) -> None:
        """Keep rows under their keys."""
        number = len(self._shards)
        self._shards.append(tensors)
        self._places.update({key: (number, row) for row, key in enumerate(keys)})


def pack(outputs: list[Tensor], inputs: tuple[Tensor, ...], kind: str, reads: str) -> dict[str, Tensor]:
    """An engine's outputs as named rows.

    Pooled features stay float32, one name per stage. A boundary state becomes float16 (relative error
    2**-11) where every value fits; tokens of texts are stored without their padding, one after the other.
    """
    if kind == "pooled":
        return {str(stage): values for stage, values in enumerate(outputs)}
    values = _halved(outputs[0])
    if reads == "image":
        return {STATE: values}
    mask = inputs[1].bool()
    return {HIDDEN: values[mask], LENGTHS: mask.sum(dim=1)}


def unpack(recipe: "Recipe | MemoryRecipe", keys: Sequence[str]) -> State:
    """The stored boundary states of the keys as one float32 batch."""
    rows = [_row(recipe, recipe.place(key)) for key in keys]
    if rows[0].ndim != 2 or STATE in recipe.tensors(recipe.place(keys[0]).shard):
        return (torch.stack(rows).float(),)
    longest = max(len(row) for row in rows)
    hidden = torch.zeros(len(rows), longest, rows[0].shape[1])
    mask = torch.zeros(len(rows), longest, dtype=torch.long)
    for number, row in enumerate(rows):
        hidden[number, : len(row)] = row.float()
        mask[number, : len(row)] = 1
    return hidden, mask


def _row(recipe: "Recipe | MemoryRecipe", place: Place) -> Tensor:
    tensors = recipe.tensors(place.shard)
    if STATE in tensors:
        return tensors[STATE][place.row]
    ends = tensors[LENGTHS].cumsum(0)
    end = int(ends[place.row])
    return tensors[HIDDEN][end - int(tensors[LENGTHS][place.row]) : end]


def _halved(values: Tensor) -> Tensor:
    largest = values.abs().max()
    return values.half() if bool(largest < torch.finfo(torch.float16).max) else values


def flush(recipe: "Recipe | MemoryRecipe", waiting: list[tuple[list[str], dict[str, Tensor]]], begun: float) -> float:
    """Store what was computed since `begun` (`time.perf_counter`) as one shard, and forget it; the time now."""
    if not waiting:
        return begun
    keys = [key for names, _ in waiting for key in names]
    names = waiting[0][1]
    joined = {name: torch.cat([rows[name] for _, rows in waiting]) for name in names}
    recipe.append(keys, joined, time.perf_counter() - begun)
    waiting.clear()
    return time.perf_counter()


def gathered(recipe: "Recipe | MemoryRecipe", keys: list[str], name: str) -> Floats:
    """The named rows of all keys, (N, D), copied shard by shard."""
    by_shard: dict[Any, tuple[list[int], list[int]]] = {}
    for position, key in enumerate(keys):
        place = recipe.place(key)
        positions, rows = by_shard.setdefault(place.shard, ([], []))
        positions.append(position)
        rows.append(place.row)
    result: Floats | None = None
    for shard, (positions, rows) in by_shard.items():
        values = recipe.rows(shard, name, rows).numpy()
        if result is None:
            result = np.empty((len(keys), values.shape[1]), dtype=np.float32)
        result[positions] = values
    if result is None:
        raise ValueError("no samples")
    return result
