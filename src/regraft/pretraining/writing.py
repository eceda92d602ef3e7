"""The backbone folder: weights with their source head, passport, model card, recipe and log."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from regraft.core import Passport
from regraft.pretraining.call import Call
from regraft.pretraining.loop import Report
from regraft.pretraining.objectives import Prepared

RECIPE = "recipe.json"


def write_backbone(call: Call, work: Prepared, out: Path, last: Report, log: list[dict[str, Any]]) -> None:
    """Write everything; an interrupted write is repeated by `--resume`."""
    work.objective.write(out, {"tag": out.name})
    (out / RECIPE).write_text(json.dumps(asdict(call), indent=1), encoding="utf-8")
