"""What workers do: one function per request, from JSON to JSON, each a call or two of the package's verbs."""

from collections.abc import Callable
from typing import Any

from regraft.studio.work.advising import grade, measure_scenario, recommend, scenario_task, scenarios
from regraft.studio.work.comparing import compare
from regraft.studio.work.data import embed, inspect
from regraft.studio.work.hierarchies import look, probe
from regraft.studio.work.predicting import predict
from regraft.studio.work.surveying import backbones, survey
from regraft.studio.work.training import fit

Report = Callable[[dict[str, Any]], None]
Verb = Callable[[dict[str, Any], Report], Any]

VERBS: dict[str, Verb] = {
    "embed": embed,
    "inspect": inspect,
    "backbones": backbones,
    "survey": survey,
    "predict": predict,
    "look": look,
    "scenarios": scenarios,
    "grade": grade,
    "scenario-task": scenario_task,
    "recommend": recommend,
    "fit": fit,
    "compare": compare,
    "probe": probe,
    "scenario": measure_scenario,
}
"""What a worker can be asked; from `recommend` on these are jobs, the others take a moment."""
