"""Tasks, backbones and models that a worker keeps open between requests."""

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from regraft.api import Resources
    from regraft.backbones.contract import Backbone
    from regraft.core import Task
    from regraft.model import Model

KEPT = 4


def task_at(path: str) -> "Task":
    """The task in a folder or file; read again when that changed."""
    return _task(path, Path(path).stat().st_mtime_ns)


@lru_cache(maxsize=KEPT)
def _task(path: str, _changed: int) -> "Task":
    from regraft import api  # noqa: PLC0415 - a worker warms up first

    return api.open_task(path)


@lru_cache(maxsize=KEPT)
def backbone_named(name: str, kind: Literal["image", "text"]) -> "Backbone":
    """A loaded backbone, never to be trained: a fit loads its own."""
    from regraft import api  # noqa: PLC0415

    return api.load_backbone(name, kind=kind, offline=True)


def model_at(folder: str) -> "Model":
    """A saved model."""
    return _model(folder, (Path(folder) / "model.json").stat().st_mtime_ns)


@lru_cache(maxsize=KEPT)
def _model(folder: str, _changed: int) -> "Model":
    from regraft import api  # noqa: PLC0415

    return api.load(folder)


def reads(task: "Task") -> Literal["image", "text"]:
    """What a backbone for this task must read."""
    return "image" if task.kind.startswith("image") else "text"


def resources(arguments: dict[str, Any]) -> "Resources":
    """Where this studio computes; it never opens a connection."""
    from regraft import api  # noqa: PLC0415

    cache = arguments.get("cache")
    return api.Resources(device=arguments.get("device", "auto"), cache_dir=Path(cache) if cache else None, offline=True)
