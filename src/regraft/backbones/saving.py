"""A trunk in a model's folder: in its ecosystem's own form, with its passport beside it."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from regraft.backbones.contract import Backbone
from regraft.backbones.folders import PASSPORT_FILE
from regraft.backbones.loading import load_folder
from regraft.core import ModelError, Passport


def save_backbone(backbone: Backbone, folder: Path) -> None:
    """Write the trunk and its passport to a new folder, which `load_backbone` reads too."""
    folder.mkdir()
    backbone.write(folder)
    passport = json.dumps(backbone.passport.to_json(), indent=1)
    (folder / PASSPORT_FILE).write_text(passport, encoding="utf-8")


def load_saved_backbone(folder: Path) -> Backbone:
    """The trunk that `save_backbone` wrote, with the passport it had then; opens no connection."""
    file = folder / PASSPORT_FILE
    try:
        passport = Passport.from_json(json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise ModelError(f"{file}: missing or damaged; save the model again") from error
    backbone: Any = load_folder(folder)
    kept: Backbone = replace(backbone, passport=passport)
    return kept
