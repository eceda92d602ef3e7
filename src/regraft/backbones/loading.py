"""From what `--backbone` says to a backbone."""

import difflib
from pathlib import Path

import timm

from regraft.backbones.bundled import BUNDLED, load_bundled
from regraft.backbones.contract import Backbone, Kind
from regraft.backbones.folders import local_folder, read_config, stated_passport
from regraft.backbones.hub import hub_folder, parse_repository
from regraft.backbones.scratch import TEXT_ARCHITECTURES, load_scratch
from regraft.backbones.timm_source import load_timm_folder, load_timm_name
from regraft.backbones.transformers_source import load_transformers_folder
from regraft.core import BackboneError, HubError, Passport

# What may stand before a colon.
SOURCES = ("timm", "hf", "bundled", "scratch")

# `auto`, the first that can be had: texts have embedded weights; for pictures a small network of the hub that
# transfers well, and where the hub is out of reach and has left nothing in its cache, embedded ones.
AUTO: dict[Kind, tuple[str, ...]] = {
    "text": ("bundled:minilm",),
    "image": ("timm:mobilenetv3_large_100", "bundled:resnet-small"),
}


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
        return _first_at_hand(AUTO[kind], offline=offline)
    backbone = _load(name, said=name, offline=offline)
    if kind is not None and backbone.kind != kind:
        reads = {"image": "pictures", "text": "text"}
        raise BackboneError(f"--backbone {name} reads {reads[backbone.kind]}, the data are {reads[kind]}")
    return backbone


def load_original(passport: Passport, *, offline: bool = False) -> Backbone:
    """The trunk that a passport speaks of, as it was: what the hub has is taken at the passport's revision.

    Raises:
        BackboneError: It is not to be had.
    """
    source, _, rest = passport.source.partition(":")
    if source == "timm":
        return load_timm_name(rest, revision=passport.revision or None, offline=offline)
    if source == "hf" and passport.revision:
        repository, _ = parse_repository(rest, passport.source)
        return _hub(f"{repository}@{passport.revision}", said=passport.source, offline=offline)
    return load_backbone(passport.source, offline=offline)


def _first_at_hand(names: tuple[str, ...], *, offline: bool) -> Backbone:
    """The first of these that is on this machine or can be fetched."""
    for name in names[:-1]:
        try:
            return _load(name, said=name, offline=offline)
        except HubError:
            continue
    return _load(names[-1], said=names[-1], offline=offline)


def load_folder(folder: Path, passport: Passport | None = None) -> Backbone:
    """The trunk in a local folder of either form; opens no connection.

    Args:
        folder: In timm's `local-dir` or transformers' `save_pretrained` form.
        passport: Where it came from, if not from this folder.

    Raises:
        BackboneError: It is in neither form, or damaged.
    """
    passport = passport or stated_passport(folder)
    if "architecture" in read_config(folder):
        return load_timm_folder(folder, passport)
    return load_transformers_folder(folder, passport)


def _load(name: str, *, said: str, offline: bool) -> Backbone:  # noqa: PLR0911 - one return per source
    """The backbone of a name; `said` is what the user wrote, `scratch:` included, for messages."""
    source, colon, rest = name.partition(":")
    if not name.strip() or (colon and source in SOURCES and not rest.strip()):
        raise BackboneError(f"--backbone {said!r} names no backbone; `regraft backbones` lists usual ones")
    if source == "bundled":
        return load_bundled(rest)
    if source == "scratch":
        return load_scratch(rest, lambda other: _load(other, said=said, offline=offline))
    if source == "hf":
        return _hub(rest, said=said, offline=offline)
    if source == "timm":
        return _timm(rest, said=said, offline=offline)
    folder = local_folder(name, said)
    if folder is not None:
        return load_folder(folder)
    if timm.is_model(name.split(".", maxsplit=1)[0]):
        return _timm(name, said=said, offline=offline)
    if name in TEXT_ARCHITECTURES or "/" in name:
        return _hub(name, said=said, offline=offline)
    raise _unknown(name, said)


def _hub(text: str, *, said: str, offline: bool) -> Backbone:
    """The trunk of a hub repository, in whichever form it is."""
    repository, revision = parse_repository(text, said)
    folder = hub_folder(repository, revision, offline=offline)
    return load_folder(folder, Passport(name=repository, source=f"hf:{text}", revision=folder.name))


def _timm(name: str, *, said: str, offline: bool) -> Backbone:
    if not timm.is_model(name.split(".", maxsplit=1)[0]):
        raise _unknown(name, said)
    return load_timm_name(name, offline=offline)


def _unknown(name: str, said: str) -> BackboneError:
    known = [*timm.list_models(), *TEXT_ARCHITECTURES, *(f"bundled:{one.name}" for one in BUNDLED)]
    near = difflib.get_close_matches(name, known, n=3)
    hint = f"; did you mean {' or '.join(near)}?" if near else "; `regraft backbones` lists usual ones"
    return BackboneError(f"--backbone {said}: no such folder or model{hint}")
