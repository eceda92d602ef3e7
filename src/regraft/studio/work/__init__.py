"""What workers do: one function per request, from JSON to JSON, each a call or two of the package's verbs."""

from collections.abc import Callable
from typing import Any

from regraft.studio.work.comparing import compare
from regraft.studio.work.data import inspect
from regraft.studio.work.predicting import predict
from regraft.studio.work.surveying import backbones, survey
from regraft.studio.work.training import fit

Report = Callable[[dict[str, Any]], None]
Verb = Callable[[dict[str, Any], Report], Any]

VERBS: dict[str, Verb] = {
    "inspect": inspect,
    "backbones": backbones,
    "survey": survey,
    "fit": fit,
    "compare": compare,
    "predict": predict,
}
"""What a worker can be asked; the first three and `predict` take a moment, the others are jobs."""
