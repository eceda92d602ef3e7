"""regraft: reuse a pretrained network on your own data, with evidence for every choice.

Names are loaded when they are first used, since torch takes seconds to import.
"""

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from regraft.api import (
        Resources,
        Settings,
        fit,
        inspect,
        load,
        load_backbone,
        measure,
        open_task,
        prepare,
        recommend,
    )
    from regraft.comparing import compare
    from regraft.hierarchy import probe
    from regraft.measuring import write_source_statistics
    from regraft.model import Model
    from regraft.pretraining import pretrain

__version__ = version("regraft")

__all__ = [
    "Model",
    "Resources",
    "Settings",
    "compare",
    "fit",
    "inspect",
    "load",
    "load_backbone",
    "measure",
    "open_task",
    "prepare",
    "pretrain",
    "probe",
    "recommend",
    "write_source_statistics",
]

_HOMES = {
    "Model": "regraft.model",
    "compare": "regraft.comparing",
    "open_task": "regraft.tasks",
    "pretrain": "regraft.pretraining",
    "probe": "regraft.hierarchy",
    "write_source_statistics": "regraft.measuring",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'regraft' has no attribute {name!r}")
    return getattr(import_module(_HOMES.get(name, "regraft.api")), name)
