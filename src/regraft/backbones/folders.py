"""Local folders: whether a name means one, and what its configuration says."""

import difflib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from regraft.core import BackboneError, Passport

CONFIG = "config.json"
ADAPTER = "adapter_config.json"
PASSPORT_FILE = "passport.json"


def local_folder(name: str, said: str) -> Path | None:
    """The absolute path of the folder that a name means; None where it is no path, so that it may be a model's name.

    Absolute, since a passport keeps it and may be read from another folder.

    Args:
        name: A path, `~` included, or the name of a model or a hub repository.
        said: What the user wrote, for messages.

    Raises:
        BackboneError: It looks like a path and there is no such folder.
    """
    try:
        path = Path(name).expanduser()
        if path.is_dir():
            return path.resolve()
        if not _looks_like_path(name, path):
            return None
        if path.is_file():
            raise BackboneError(f"--backbone {said}: this is a file; give its folder, {path.parent}")
        near = _neighbours(path)
    except RuntimeError:  # `~name` of a user that there is not
        near = []
    except OSError as error:
        raise BackboneError(f"--backbone {said}: cannot be read ({error.strerror}); give another folder") from error
    hint = f"did you mean {' or '.join(near)}?" if near else "a repository of the hub is written hf:OWNER/NAME"
    raise BackboneError(f"--backbone {said}: no such folder; {hint}")


def _looks_like_path(name: str, path: Path) -> bool:
    """A plain `owner/name` means the hub, unless `owner` is a folder here."""
    return name.startswith((".", "/", "~")) or name.count("/") > 1 or ("/" in name and path.parent.is_dir())


def _neighbours(path: Path) -> list[str]:
    """Folders beside a mistyped one with a similar name."""
    if not path.parent.is_dir():
        return []
    names = [one.name for one in path.parent.iterdir() if one.is_dir()]
    return [str(path.parent / near) for near in difflib.get_close_matches(path.name, names, n=2)]


def read_json(file: Path) -> dict[str, Any]:
    """The JSON object in a file.

    Raises:
        BackboneError: The file is missing, unreadable or holds anything else.
    """
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise BackboneError(f"{file}: cannot be read ({error.strerror}); copy the whole folder again") from error
    except ValueError as error:
        raise BackboneError(f"{file} is not JSON ({error}); copy or write it again") from error
    if not isinstance(data, dict):
        raise BackboneError(f"{file} is not JSON of the form {{...}}; copy or write it again")
    return data


def read_config(folder: Path) -> dict[str, Any]:
    """What `config.json` says, with `architecture` (timm) or `model_type` (transformers) in it.

    Raises:
        BackboneError: There is none, it is damaged, or the folder holds something else.
    """
    if (folder / ADAPTER).is_file():
        base = read_json(folder / ADAPTER).get("base_model_name_or_path", "its base model")
        raise BackboneError(
            f"{folder}: holds an adapter of {base}, not a whole model; merge it into that model "
            "(merge_and_unload in peft), save the result, and give that folder"
        )
    if not (folder / CONFIG).is_file():
        what = f"no {CONFIG} there" if any(folder.iterdir()) else "the folder is empty"
        raise BackboneError(
            f"{folder}: {what}; give a folder in timm's local-dir or transformers' save_pretrained form"
        )
    config = read_json(folder / CONFIG)
    if not {"architecture", "model_type"} & config.keys():
        raise BackboneError(
            f"{folder}: {CONFIG} has neither `architecture` (timm's local-dir form) nor `model_type` "
            "(save_pretrained form); save the model again with one of the two libraries"
        )
    return config


def stated_passport(folder: Path) -> Passport | None:
    """What the folder's own passport says of its weights, found here; None where it has none.

    Raises:
        BackboneError: It is damaged.
    """
    file = folder / PASSPORT_FILE
    if not file.exists():
        return None
    try:
        return replace(Passport.from_json(read_json(file)), source=str(folder))
    except TypeError as error:
        raise BackboneError(f"{file}: not a passport; remove it or copy the folder again") from error
