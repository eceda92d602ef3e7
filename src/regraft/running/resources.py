"""Where work runs and what it may use."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from regraft.activations.store import ActivationStore
from regraft.core.places import default_cache_dir


@dataclass(frozen=True)
class Resources:
    """Where work runs and what it may use.

    Attributes:
        device: `auto`, `cpu`, `cuda`, `cuda:N` or `mps`.
        precision: `auto`, `fp32`, `bf16` or `int8`.
        cache_dir: Where activations are kept; None = the platform's cache folder.
        offline: Open no connection.
    """

    device: str = "auto"
    precision: str = "auto"
    cache_dir: Path | None = None
    offline: bool = False

    def store(self) -> ActivationStore:
        """The activation store of this cache folder."""
        return ActivationStore((self.cache_dir or default_cache_dir()) / "activations")

    @contextmanager
    def kept(self, keep: bool) -> Iterator["Resources"]:  # noqa: FBT001 - `with resources.kept(False)` reads well
        """These resources; unless `keep`, with a cache folder of their own that is removed at the end."""
        if keep:
            yield self
            return
        with tempfile.TemporaryDirectory(prefix="regraft-") as folder:
            yield replace(self, cache_dir=Path(folder))
