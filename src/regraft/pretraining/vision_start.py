"""What vision pre-training starts from: an architecture with random weights, or a backbone."""

from dataclasses import replace
from typing import Any

import timm
import torch

from regraft.backbones import load_backbone
from regraft.backbones.timm_source import build_timm
from regraft.backbones.vision import VisionBackbone
from regraft.core import BackboneError, OptionError, Passport


def fresh_vision(architecture: str, side: int, seed: int) -> VisionBackbone:
    """A timm architecture with random weights that depend on `seed` alone, made for pictures of `side` pixels.

    Raises:
        OptionError: timm has no such architecture, or it cannot be built for this size.
    """
    name = architecture.removeprefix("timm:")
    if not timm.is_model(name):
        raise OptionError(f"--architecture {architecture}: timm has none of that name; `timm.list_models()` lists them")
    fixed = bool(getattr(timm.get_pretrained_cfg(name), "fixed_input_size", False))
    arguments: dict[str, Any] = {"img_size": side} if fixed else {}
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            model = timm.create_model(name, pretrained=False, **arguments)
    except (TypeError, ValueError, RuntimeError, AssertionError) as error:
        raise OptionError(f"--architecture {architecture}: cannot be built for {side} pixels ({error})") from error
    return _at_size(build_timm(model, name, arguments, Passport(name, f"scratch:{name}")), side)


def started_vision(source: str, side: int, *, offline: bool) -> VisionBackbone:
    """A backbone whose pre-training goes on.

    Raises:
        BackboneError: It is not to be had, or no network of timm's.
    """
    backbone = load_backbone(source, kind="image", offline=offline)
    if not isinstance(backbone, VisionBackbone) or not hasattr(backbone.module, "reset_classifier"):
        raise BackboneError(f"--from {source}: not a network of timm's; give one in timm's local-dir form")
    return _at_size(backbone, side)


def _at_size(backbone: VisionBackbone, side: int) -> VisionBackbone:
    """The same network reading whole pictures of another size."""
    preprocess = replace(backbone.preprocess, size=(side, side), crop_share=1.0, crop_mode="center")
    return replace(backbone, preprocess=preprocess, passport=replace(backbone.passport, input_size=(side, side)))
