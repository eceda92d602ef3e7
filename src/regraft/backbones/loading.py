"""From what `--backbone` says to a backbone."""

import difflib
from pathlib import Path
from typing import Literal

import timm

from regraft.backbones.bundled import load_bundled
from regraft.backbones.contract import Backbone
from regraft.backbones.scratch import TEXT_ARCHITECTURES, load_scratch
from regraft.backbones.timm_source import is_timm_folder, load_timm_folder, load_timm_name
from regraft.backbones.transformers_source import is_transformers_folder, load_hub, load_transformers_folder
from regraft.core import BackboneError

Kind = Literal["image", "text"]

# `auto`: texts have embedded weights; for pictures a small network that transfers well, from the hub.
AUTO: dict[Kind, str] = {"text": "bundled:minilm", "image": "timm:mobilenetv3_large_100"}


def load_backbone(name: str, *, kind: Kind | None = None, offline: bool = False) -> Backbone:
    """A pretrained trunk with its head removed.

    Args:
        name: `auto`, a plain name, `timm:NAME`, `hf:OWNER/NAME[@revision]`, a local folder,
            `bundled:NAME`, or `scratch:` before any of these for random weights.
        kind: What it must read; None = whatever it reads.
        offline: Open no connection. Local folders and bundled backbones never open one.

    Raises:
        BackboneError: It is not to be had, or reads something else.

    Example:
        >>> load_backbone("bundled:minilm").outline.stages[-1].width
        384
    """
    if name == "auto":
        if kind is None:
            raise BackboneError("--backbone auto needs to know what it shall read; name a backbone")
        name = AUTO[kind]
    backbone = _load(name, offline=offline)
    if kind is not None and backbone.kind != kind:
        reads = {"image": "pictures", "text": "text"}
        raise BackboneError(f"--backbone {name} reads {reads[backbone.kind]}, the data are {reads[kind]}")
    return backbone


def load_folder(folder: Path) -> Backbone:
    """The trunk in a local folder of either form; opens no connection."""
    if is_timm_folder(folder):
        return load_timm_folder(folder)
    if is_transformers_folder(folder):
        return load_transformers_folder(folder)
    raise BackboneError(
        f"{folder}: no config.json with `architecture` (timm's local-dir form) or `model_type` (save_pretrained form)"
    )


def _load(name: str, *, offline: bool) -> Backbone:  # noqa: PLR0911 - one return per source
    source, _, rest = name.partition(":")
    if source == "bundled":
        return load_bundled(rest)
    if source == "scratch":
        return load_scratch(rest, lambda other: _load(other, offline=offline))
    if source == "hf":
        repository, _, revision = rest.partition("@")
        return load_hub(repository, revision or None, offline=offline)
    if source == "timm":
        return _timm(rest, offline=offline)
    if Path(name).is_dir():
        return load_folder(Path(name))
    if timm.is_model(name.split(".", maxsplit=1)[0]):
        return _timm(name, offline=offline)
    if name in TEXT_ARCHITECTURES or "/" in name:
        return load_hub(name, None, offline=offline)
    raise _unknown(name)


def _timm(name: str, *, offline: bool) -> Backbone:
    if not timm.is_model(name.split(".", maxsplit=1)[0]):
        raise _unknown(name)
    return load_timm_name(name, offline=offline)


def _unknown(name: str) -> BackboneError:
    known = [*timm.list_models(), *TEXT_ARCHITECTURES, "bundled:minilm"]
    near = difflib.get_close_matches(name, known, n=3)
    hint = f"; did you mean {' or '.join(near)}?" if near else "; `regraft backbones` lists usual ones"
    return BackboneError(f"--backbone {name}: no such folder or model{hint}")
