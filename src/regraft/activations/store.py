"""Activations on disk: found by content, memory-mapped, checksummed, written whole or not at all.

Layout: one folder per recipe (weights, preprocessing, output), in it shards `NAME.safetensors` with the rows
of many samples and `NAME.json` with their keys and the shard's sha256. A shard exists once its `.json` does. A look-up
reads every `.json` of its recipe, and of the shards only those with a row that it wants, once in a process.
"""

import contextlib
import errno
import json
import shutil
import time
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from regraft.core import OptionError, file_sha256

GIB = 1 << 30
DEFAULT_BUDGET = 20 * GIB
USED_FILE = "used"
STALE_SECONDS = 3600  # a draft older than this was left by a process that died

# Shards whose bytes were seen to be those that were written: file, time of change in nanoseconds, size.
_sound: set[tuple[Path, int, int]] = set()


@dataclass(frozen=True)
class Place:
    """Where a sample's row is."""

    shard: Path
    row: int


class NoRoomError(OptionError):
    """What was to be stored is more than the budget or the disk holds."""


class ActivationStore:
    """A folder of recipes with a size budget; the least recently used recipe goes first."""

    def __init__(self, folder: Path, budget_bytes: int = DEFAULT_BUDGET) -> None:
        self.folder = folder
        self.budget_bytes = budget_bytes
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _unwritable(folder, error) from error

    def recipe(self, key: str) -> "Recipe":
        """The rows of one recipe, marked as used now."""
        folder = self.folder / key
        try:
            folder.mkdir(exist_ok=True)
            (folder / USED_FILE).touch()
        except OSError as error:
            raise _unwritable(self.folder, error) from error
        return Recipe(folder, self)

    def has_room(self, folder: Path, size: int) -> bool:
        """Whether a recipe may grow by so many bytes; others may be evicted for it, a recipe that grows not."""
        return size <= self._room(folder)

    def _room(self, folder: Path) -> int:
        return max(min(self.budget_bytes - _size(folder), shutil.disk_usage(self.folder).free), 0)

    def require_room(self, folder: Path, size: int) -> None:
        """Refuse to begin what cannot be kept.

        Args:
            folder: Of the recipe.
            size: Bytes that it is to grow by.

        Raises:
            NoRoomError: They are more than its budget or its disk has left.
        """
        if not self.has_room(folder, size):
            raise NoRoomError(
                f"{self.folder}: {size / GIB:.1f} GiB of activations were to be stored; its budget of "
                f"{self.budget_bytes / GIB:.0f} GiB and its disk have room for {self._room(folder) / GIB:.1f}; free some "
                "space, name another disk with --cache-dir, or leave it with --no-cache"
            )

    def make_room(self, keep: Path) -> None:
        """Remove the least recently used recipes, but not `keep`, until the budget holds."""
        sizes = {entry: _size(entry) for entry in self.folder.iterdir() if entry.is_dir()}
        total = sum(sizes.values())
        for entry in sorted(sizes, key=_last_used):
            if total <= self.budget_bytes:
                return
            if entry != keep:
                # A reader in another process keeps its memory map; it recomputes what it looks up later.
                shutil.rmtree(entry, ignore_errors=True)
                total -= sizes[entry]


class Recipe:
    """The stored rows of one recipe; safe to read and append from several processes."""

    def __init__(self, folder: Path, store: ActivationStore) -> None:
        self._folder = folder
        self._store = store
        self._places: dict[str, Place] = {}
        self._seconds: dict[str, float] = {}
        self._sums: dict[Path, str] = {}
        self._open: dict[Path, dict[str, Tensor]] = {}

    def missing(self, keys: Sequence[str]) -> list[int]:
        """Positions of the keys that no sound shard holds; damaged shards that claim one are removed."""
        while True:
            self._scan()
            shards = {self._places[key].shard for key in keys if key in self._places}
            damaged = [shard for shard in shards if not _is_sound(shard, self._sums[shard])]
            if not damaged:
                return [position for position, key in enumerate(keys) if key not in self._places]
            for shard in damaged:
                _index_of(shard).unlink(missing_ok=True)
                shard.unlink(missing_ok=True)
            # Another shard may hold the same keys, unseen so far.
            self._places, self._seconds, self._sums = {}, {}, {}

    def place(self, key: str) -> Place:
        """Where the row of a key is; it must not be missing."""
        return self._places[key]

    def hold(self, keys: Sequence[str]) -> None:
        """Map the shards of these keys now: what is mapped stays readable when another process evicts it."""
        for shard in {self._places[key].shard for key in keys}:
            self.tensors(shard)

    def tensors(self, shard: Path) -> dict[str, Tensor]:
        """The tensors of a shard, memory-mapped."""
        if shard not in self._open:
            with safe_open(shard, framework="pt") as file:
                self._open[shard] = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
        return self._open[shard]

    def rows(self, shard: Path, name: str, rows: Sequence[int]) -> Tensor:
        """A copy of some rows of one tensor; the shard is not left mapped, so that memory holds one at a time."""
        with safe_open(shard, framework="pt") as file:
            taken: Tensor = file.get_tensor(name)[list(rows)]
            return taken

    def seconds(self, keys: Iterable[str]) -> float:
        """What rows took to compute, when that was."""
        return sum(self._seconds.get(key, 0.0) for key in keys)

    def require_room(self, size: int, keys: Sequence[str]) -> None:
        """Refuse to begin what cannot be kept; rows of other data and seeds make room for those of `keys`.

        Args:
            size: Bytes that it is to grow by.
            keys: Of the rows that are wanted, those that it has already included.

        Raises:
            NoRoomError: They are more than the budget or the disk holds.
        """
        if not self._store.has_room(self._folder, size):
            wanted = {self._places[key].shard for key in keys if key in self._places}
            for shard in set(self._sums) - wanted:
                _index_of(shard).unlink(missing_ok=True)
                shard.unlink(missing_ok=True)
            self._places, self._seconds, self._sums = {}, {}, {}
            self._scan()
        self._store.require_room(self._folder, size)

    def append(self, keys: Sequence[str], tensors: dict[str, Tensor], seconds: float = 0.0) -> None:
        """Store rows under their keys, as one shard, whole or not at all, with what they took to compute."""
        name = uuid.uuid4().hex
        shard = self._folder / f"{name}.safetensors"
        index = _index_of(shard)
        drafts = (shard.with_suffix(".draft"), index.with_suffix(".draft-index"))
        try:
            self._folder.mkdir(exist_ok=True)  # another process may have evicted it meanwhile
            save_file({key: tensor.contiguous() for key, tensor in tensors.items()}, drafts[0])
            content = {"sha256": file_sha256(drafts[0]), "keys": list(keys), "seconds": seconds}
            drafts[1].write_text(json.dumps(content), encoding="utf-8")
            drafts[0].replace(shard)
            drafts[1].replace(index)
        except (OSError, SafetensorError) as error:
            for file in (*drafts, shard):
                file.unlink(missing_ok=True)
            raise _unwritable(self._folder, error) from error
        self._found(shard, content)
        self._store.make_room(keep=self._folder)

    def _scan(self) -> None:
        """Take in what shards that are new since the last look say they hold."""
        for index in sorted(self._folder.glob("*.json")):
            shard = index.with_suffix(".safetensors")
            if shard in self._sums:
                continue
            try:
                self._found(shard, json.loads(index.read_text(encoding="utf-8")))
            except (OSError, ValueError, KeyError, TypeError):
                index.unlink(missing_ok=True)
                shard.unlink(missing_ok=True)
        for draft in self._folder.glob("*.draft*"):
            with contextlib.suppress(FileNotFoundError):  # another process has finished it meanwhile
                if time.time() - draft.stat().st_mtime > STALE_SECONDS:
                    draft.unlink(missing_ok=True)

    def _found(self, shard: Path, content: dict[str, Any]) -> None:
        keys, seconds = content["keys"], float(content.get("seconds", 0.0))  # older shards do not say
        self._sums[shard] = str(content["sha256"])
        self._places.update({key: Place(shard, row) for row, key in enumerate(keys)})
        self._seconds.update(dict.fromkeys(keys, seconds / max(len(keys), 1)))


def _index_of(shard: Path) -> Path:
    return shard.with_suffix(".json")


def _is_sound(shard: Path, sha256: str) -> bool:
    """Whether a shard's bytes are those that were written; the same file is read once in a process."""
    try:
        facts = shard.stat()
        seen = (shard, facts.st_mtime_ns, facts.st_size)
        if seen not in _sound and file_sha256(shard) == sha256:
            _sound.add(seen)
    except OSError:
        return False
    return seen in _sound


def _size(folder: Path) -> int:
    """Bytes of its files; one that another process removes meanwhile counts nothing."""
    total = 0
    for file in folder.glob("*"):
        with contextlib.suppress(FileNotFoundError):
            total += file.stat().st_size
    return total


def _last_used(folder: Path) -> float:
    try:
        return (folder / USED_FILE).stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _unwritable(folder: Path, error: Exception) -> OptionError:
    full = getattr(error, "errno", None) == errno.ENOSPC or "No space" in str(error)
    cure = "free some space or name another disk with --cache-dir" if full else "name another folder with --cache-dir"
    return OptionError(f"{folder}: activations cannot be written there ({error}); {cure}")
