"""Backbones from timm: by name from the hub, or from a folder in timm's `local-dir` form."""

import json
from pathlib import Path
from typing import Any

import timm
from safetensors import SafetensorError
from safetensors.torch import save_file
from timm.data import resolve_model_data_config

from regraft.backbones.checkpoints import WEIGHTS, file_sha256, hub_file, license_of, require_safetensors
from regraft.backbones.image_preprocessing import ImagePreprocess
from regraft.backbones.timm_families import timm_stages
from regraft.backbones.vision import VisionBackbone, vision_outline
from regraft.core import BackboneError, Passport

CONFIG = "config.json"


def is_timm_folder(folder: Path) -> bool:
    """Whether `folder` is in timm's `local-dir` form."""
    try:
        return "architecture" in json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False


def load_timm_folder(folder: Path) -> VisionBackbone:
    """The trunk in a `local-dir` folder; opens no connection."""
    config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    weights = require_safetensors(folder)
    try:
        model = timm.create_model(f"local-dir:{folder}", pretrained=True)
    except (SafetensorError, RuntimeError, OSError, KeyError) as error:
        message = str(error).strip().split("\n")[0]
        raise BackboneError(
            f"{folder}: {weights.name} cannot be loaded as {config['architecture']} ({message})"
        ) from error
    cfg = config.get("pretrained_cfg", {})
    passport = Passport(
        name=folder.name,
        source=str(folder),
        sha256=file_sha256(weights),
        license=cfg.get("license") or license_of(folder),
        source_data=cfg.get("source_data") or str(cfg.get("tag") or "unknown"),
    )
    return build_timm(model, config["architecture"], config.get("model_args", {}), passport)


def load_timm_name(name: str, *, offline: bool) -> VisionBackbone:
    """The trunk of a timm model name, its safetensors file taken from the hub or the hub's cache."""
    cfg = timm.get_pretrained_cfg(name)
    if cfg is None or not cfg.hf_hub_id:
        raise BackboneError(f"timm:{name} has no published weights; use scratch:{name} for random ones")
    weights = hub_file(str(cfg.hf_hub_id), "model.safetensors", revision=None, offline=offline)
    model = timm.create_model(name, pretrained=True, pretrained_cfg_overlay={"file": str(weights)})
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
    return build_timm(timm.create_model(name, pretrained=False), name, {}, Passport(name, f"scratch:{name}"))


def build_timm(model: Any, architecture: str, model_args: dict[str, Any], passport: Passport) -> VisionBackbone:
    """A trunk from a timm model: its classifier is removed, by asking the model for it."""
    data = resolve_model_data_config(model)
    model.reset_classifier(0)
    model.eval()
    family, layout = timm_stages(model)
    _, height, width = data["input_size"]
    preprocess = ImagePreprocess(
        size=(height, width),
        crop_share=float(data["crop_pct"]),
        interpolation="bilinear" if data["interpolation"] == "bilinear" else "bicubic",
        mean=tuple(map(float, data["mean"])),
        std=tuple(map(float, data["std"])),
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
    return VisionBackbone(outline, model, passport, preprocess, layout, rebuild, write)


def _data_config(preprocess: ImagePreprocess) -> dict[str, Any]:
    """The preprocessing in timm's words."""
    return {
        "input_size": [3, *preprocess.size],
        "crop_pct": preprocess.crop_share,
        "interpolation": preprocess.interpolation,
        "mean": list(preprocess.mean),
        "std": list(preprocess.std),
    }


def _plain(cfg: dict[str, Any]) -> dict[str, Any]:
    """A pretrained configuration without where it came from, so that nothing is downloaded."""
    drop = {"url", "file", "state_dict", "hf_hub_id", "source", "hf_hub_filename"}
    return {key: value for key, value in cfg.items() if key not in drop}
