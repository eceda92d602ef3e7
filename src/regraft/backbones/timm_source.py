"""Backbones from timm: by name from the hub, or from a folder in timm's `local-dir` form."""

import difflib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import timm
from safetensors.torch import save_file
from timm.data import resolve_model_data_config

from regraft.backbones.checkpoints import WEIGHTS, first_of, license_of, one_line, require_safetensors, tensor_names
from regraft.backbones.contract import settings_hash
from regraft.backbones.folders import CONFIG, read_config
from regraft.backbones.hub import hub_file
from regraft.backbones.image_preprocessing import ImagePreprocess
from regraft.backbones.timm_families import timm_stages
from regraft.backbones.vision import VisionBackbone, vision_outline
from regraft.core import BackboneError, Passport, file_sha256


def load_timm_folder(folder: Path, passport: Passport | None = None) -> VisionBackbone:
    """The trunk in a `local-dir` folder; opens no connection.

    Raises:
        BackboneError: The configuration or the weights are damaged, or do not go together.
    """
    config = read_config(folder)
    architecture, arguments, cfg = (config.get(key, {}) for key in ("architecture", "model_args", "pretrained_cfg"))
    if not isinstance(arguments, dict) or not isinstance(cfg, dict):
        raise BackboneError(f"{folder}: model_args and pretrained_cfg in {CONFIG} are not {{...}}; write it again")
    if not isinstance(architecture, str) or "/" in architecture or not timm.is_model(architecture):
        near = difflib.get_close_matches(str(architecture), timm.list_models(), n=2)
        hint = f"did you mean {' or '.join(near)}?" if near else "write it as timm.list_models() does, or update timm"
        raise BackboneError(
            f"{folder}: architecture {architecture} in {CONFIG} is none of timm {timm.__version__}; {hint}"
        )
    weights = require_safetensors(folder)
    model = _created(f"{folder}: {WEIGHTS} cannot be loaded as {architecture}", f"local-dir:{folder}")
    _check_complete(folder, model, weights)
    passport = passport or Passport(name=folder.name, source=str(folder))
    unsaid = passport.source_data == "unknown"
    passport = replace(
        passport,
        sha256=file_sha256(weights),
        license=cfg.get("license") or (license_of(folder) if passport.license == "unknown" else passport.license),
        source_data=str(cfg.get("tag") or "unknown") if unsaid else passport.source_data,
    )
    return build_timm(model, architecture, arguments, passport)


def _created(refusal: str, name: str, **overlay: Any) -> Any:
    """The network with its weights; `refusal` opens the message where they do not fit."""
    try:
        return timm.create_model(name, pretrained=True, **overlay)
    except Exception as error:  # each of timm's thousand constructors fails in its own way
        raise BackboneError(
            f"{refusal} ({one_line(error)}); use the weights and the configuration of one model"
        ) from error


def _check_complete(folder: Path, model: Any, weights: Path) -> None:
    """Refuse a file that lacks layers: timm fills them at random where the number of classes was changed.

    A file with names that are not the network's was renamed while loading and cannot be checked so.
    """
    classifier = model.pretrained_cfg.get("classifier") or ()
    heads = (classifier,) if isinstance(classifier, str) else tuple(classifier)
    has, needs = tensor_names(weights), list(model.state_dict())
    lacks = [
        name
        for name in needs
        if name not in has and not name.startswith(heads) and not name.endswith("num_batches_tracked")
    ]
    if lacks and has <= set(needs):
        raise BackboneError(f"{folder}: {WEIGHTS} lacks {first_of(lacks)}; save the whole model again")


def _known_tag(name: str) -> None:
    """Refuse `NAME.TAG` where timm knows the architecture but not the tag."""
    architecture, _, tag = name.partition(".")
    tags = [one.partition(".")[2] for one in timm.list_pretrained(f"{architecture}.*")]
    if tag and tag not in tags:
        there = f"there is {', '.join(tags)}" if tags else "it has no published weights"
        raise BackboneError(f"timm:{name}: {architecture} has no weights {tag}; {there}")


def load_timm_name(name: str, *, revision: str | None = None, offline: bool) -> VisionBackbone:
    """The trunk of a timm model name, its safetensors file taken from the hub or the hub's cache.

    Args:
        name: As timm knows it.
        revision: Commit of the weights; None = the newest.
        offline: Open no connection.

    Raises:
        BackboneError: It has no such weights, or they cannot be had or used.
    """
    _known_tag(name)
    cfg = timm.get_pretrained_cfg(name)
    if cfg is None or not cfg.hf_hub_id:
        raise BackboneError(f"timm:{name} has no published weights; use scratch:{name} for random ones")
    weights = hub_file(str(cfg.hf_hub_id), WEIGHTS, revision=revision, offline=offline)
    tensor_names(weights)
    refusal = f"{weights} cannot be loaded as {name}"
    model = _created(refusal, name, pretrained_cfg_overlay={"file": str(weights)})
    passport = Passport(
        name=f"{cfg.architecture}.{cfg.tag}" if cfg.tag else name,
        source=f"timm:{name}",
        revision=weights.parent.name,
        sha256=file_sha256(weights),
        license=cfg.license or "unknown",
        source_data=cfg.tag or "unknown",
    )
    return build_timm(model, name, {}, passport)


def scratch_timm(name: str) -> VisionBackbone:
    """The architecture with random weights."""
    _known_tag(name)
    return build_timm(timm.create_model(name, pretrained=False), name, {}, Passport(name, f"scratch:{name}"))


def build_timm(model: Any, architecture: str, model_args: dict[str, Any], passport: Passport) -> VisionBackbone:
    """A trunk from a timm model: its classifier is removed, by asking the model for it.

    Raises:
        BackboneError: It does not read RGB pictures, or its stages do not own each parameter once.
    """
    data = resolve_model_data_config(model)
    model.reset_classifier(0)
    model.eval()
    family, layout = timm_stages(model)
    channels, height, width = data["input_size"]
    if channels != 3:
        raise BackboneError(f"{passport.source}: reads {channels} channels, not RGB; use a network of 3 channels")
    preprocess = ImagePreprocess(
        size=(height, width),
        crop_share=float(data["crop_pct"]),
        interpolation="bilinear" if data["interpolation"] == "bilinear" else "bicubic",
        mean=tuple(map(float, data["mean"])),
        std=tuple(map(float, data["std"])),
        crop_mode=data["crop_mode"],
    )
    passport = Passport.from_json(
        {
            **passport.to_json(),
            "input_size": [height, width],
            "mean": list(preprocess.mean),
            "std": list(preprocess.std),
        }
    )

    def rebuild() -> VisionBackbone:
        fresh = timm.create_model(
            architecture, pretrained=False, pretrained_cfg=_plain(model.pretrained_cfg), **model_args
        )
        return build_timm(fresh, architecture, model_args, Passport(passport.name, f"scratch:{passport.source}"))

    def write(folder: Path) -> None:
        config = {
            "architecture": architecture,
            "num_classes": 0,
            "model_args": model_args,
            "pretrained_cfg": {**_plain(model.pretrained_cfg), "num_classes": 0, **_data_config(preprocess)},
        }
        (folder / CONFIG).write_text(json.dumps(config, indent=1), encoding="utf-8")
        save_file({name: tensor.contiguous() for name, tensor in model.state_dict().items()}, folder / WEIGHTS)

    outline = vision_outline(architecture, family, model, layout, (height, width))
    settings = settings_hash(_computing(model, architecture, model_args))
    return VisionBackbone(outline, model, passport, preprocess, layout, rebuild, write, settings)


def _computing(model: Any, architecture: str, model_args: dict[str, Any]) -> dict[str, Any]:
    """What decides how a network computes, its weights apart.

    Of the pretrained configuration timm builds with the pooling, and with a size that the preprocessing has too.
    """
    return {
        "architecture": architecture.partition(".")[0],
        "model_args": {key: value for key, value in model_args.items() if key != "num_classes"},
        "global_pool": model.pretrained_cfg.get("global_pool"),
    }


def _data_config(preprocess: ImagePreprocess) -> dict[str, Any]:
    """The preprocessing in timm's words."""
    return {
        "input_size": [3, *preprocess.size],
        "crop_pct": preprocess.crop_share,
        "crop_mode": preprocess.crop_mode,
        "interpolation": preprocess.interpolation,
        "mean": list(preprocess.mean),
        "std": list(preprocess.std),
    }


def _plain(cfg: dict[str, Any]) -> dict[str, Any]:
    """A pretrained configuration without where it came from, so that nothing is downloaded."""
    drop = {"url", "file", "state_dict", "hf_hub_id", "source", "hf_hub_filename"}
    return {key: value for key, value in cfg.items() if key not in drop}
