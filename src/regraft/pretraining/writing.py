"""The backbone folder: weights with their source head, passport, model card, recipe and log."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from regraft.backbones.checkpoints import WEIGHTS
from regraft.backbones.folders import PASSPORT_FILE
from regraft.core import Passport, file_sha256
from regraft.pretraining.call import Call
from regraft.pretraining.card import Facts, card
from regraft.pretraining.loop import Report
from regraft.pretraining.objectives import Prepared

CARD = "README.md"
RECIPE = "recipe.json"


def write_backbone(call: Call, work: Prepared, out: Path, last: Report, license_of_data: str) -> None:
    """Write everything but the log; what an interrupted write left is written anew.

    Args:
        call: What was asked for.
        work: What was trained.
        out: An existing folder.
        last: The last report.
        license_of_data: Of the data, which may bind what is made of them.
    """
    source_data = f"{work.data} ({work.samples})"
    work.objective.write(out, {"tag": out.name, "license": license_of_data})
    passport = Passport(
        name=out.name,
        source=str(out),
        sha256=file_sha256(out / WEIGHTS),
        license=license_of_data,
        source_data=source_data,
        input_size=_size(work.objective),
    )
    (out / PASSPORT_FILE).write_text(json.dumps(passport.to_json(), indent=1), encoding="utf-8")
    told: dict[str, Any] = asdict(call)
    (out / RECIPE).write_text(json.dumps(told, indent=1), encoding="utf-8")
    facts = Facts(
        name=out.name,
        objective=call.objective,
        architecture=work.architecture,
        library=work.library,
        parameters=work.parameters,
        data=source_data,
        license_of_data=license_of_data,
        samples=last.samples,
        steps=last.steps,
        reads=work.reads,
        source=Path(call.source).name,
        teacher=Path(call.teacher).name,
    )
    (out / CARD).write_text(card(facts, told["recipe"], last.metrics), encoding="utf-8")


def _size(objective: Any) -> tuple[int, ...]:
    """The input size of a vision trunk, or the length of a language model's blocks."""
    recipe = objective.recipe
    return (recipe.views.last, recipe.views.last) if hasattr(recipe, "views") else (recipe.length,)
