"""Backbones from transformers: from the hub, or from a folder in `save_pretrained` form."""

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import save_file
from transformers import AutoConfig, AutoModel, AutoTokenizer
from transformers.utils import logging

from regraft.backbones.checkpoints import WEIGHTS, file_sha256, hub_file, license_of, require_safetensors
from regraft.backbones.image_preprocessing import ImagePreprocess
from regraft.backbones.text import LONGEST, TextBackbone, TextPreprocess, text_outline
from regraft.backbones.transformers_families import FAMILIES
from regraft.backbones.vision import VisionBackbone, VisionStage, VisionStages, vision_outline
from regraft.core import BackboneError, Passport

CONFIG = "config.json"
PICTURES = "preprocessor_config.json"
BILINEAR = 2  # Pillow's number, as transformers writes it


def is_transformers_folder(folder: Path) -> bool:
    """Whether `folder` is in `save_pretrained` form."""
    try:
        return "model_type" in json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False


def load_transformers_folder(folder: Path, passport: Passport | None = None) -> TextBackbone | VisionBackbone:
    """The trunk in a `save_pretrained` folder; opens no connection."""
    weights = require_safetensors(folder)
    passport = passport or Passport(name=folder.name, source=str(folder), license=license_of(folder))
    passport = Passport.from_json({**passport.to_json(), "sha256": file_sha256(weights)})
    logging.set_verbosity_error()  # it warns of the head that is left out, which is the point here
    logging.disable_progress_bar()
    try:
        config = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        model = AutoModel.from_pretrained(
            folder,
            config=config,
            local_files_only=True,
            trust_remote_code=False,
            use_safetensors=True,
            dtype=torch.float32,
            **_attention(config),
        )
    except (SafetensorError, OSError, ValueError, RuntimeError, KeyError) as error:
        message = str(error).strip().split("\n")[0]
        raise BackboneError(f"{folder}: cannot be loaded by transformers ({message})") from error
    if config.model_type == "mobilenet_v1":
        return _vision(model, folder, passport)
    return build_text(model, _tokenizer(folder), passport)


def load_hub(repository: str, revision: str | None, *, offline: bool) -> TextBackbone | VisionBackbone:
    """The trunk of a hub repository, from the hub's cache or the hub."""
    weights = hub_file(repository, WEIGHTS, revision=revision, offline=offline)
    hub_file(repository, CONFIG, revision=revision, offline=offline)
    for name in ("tokenizer.json", "tokenizer_config.json", "vocab.txt", "merges.txt", "vocab.json", PICTURES):
        try:
            hub_file(repository, name, revision=revision, offline=offline)
        except BackboneError:
            continue  # a repository has the files of its own kind of tokenizer
    source = f"hf:{repository}" + (f"@{revision}" if revision else "")
    passport = Passport(name=repository, source=source, revision=weights.parent.name)
    return load_transformers_folder(weights.parent, passport)


def _attention(config: Any) -> dict[str, str]:
    known = {name for name, _ in FAMILIES}
    return {"attn_implementation": "sdpa"} if config.model_type in known else {}


def _tokenizer(folder: Path) -> Any:
    try:
        return AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False, use_fast=True)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BackboneError(f"{folder}: no usable tokenizer (tokenizer.json or vocab.txt) there") from error


def build_text(model: Any, tokenizer: Any, passport: Passport) -> TextBackbone:
    """A trunk from a transformers encoder or decoder without its head."""
    config = model.config
    split = dict(FAMILIES).get(config.model_type)
    if split is None:
        names = ", ".join(name for name, _ in FAMILIES)
        raise BackboneError(f"{passport.source}: model_type {config.model_type} is not one of {names}")
    if getattr(model, "pooler", None) is not None:
        model.pooler = None  # trained for next-sentence prediction; the new head takes its place
    model.eval()
    layout = split(model)
    offset = config.pad_token_id + 1 if config.model_type == "roberta" else 0
    length = min(LONGEST, config.max_position_embeddings - offset, tokenizer.model_max_length)
    passport = Passport.from_json({**passport.to_json(), "input_size": [length]})

    def rebuild() -> TextBackbone:
        fresh = AutoModel.from_config(config, attn_implementation="sdpa")
        return build_text(fresh, tokenizer, Passport(passport.name, f"scratch:{passport.source}"))

    def write(folder: Path) -> None:
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)

    outline = text_outline(passport.name, config.model_type, model, layout, config.hidden_size)
    return TextBackbone(outline, model, passport, TextPreprocess(tokenizer, length), layout, rebuild, write)


def _vision(model: Any, folder: Path, passport: Passport) -> VisionBackbone:
    """MobileNetV1 of transformers: thirteen pairs of depthwise and pointwise convolutions."""
    settings = json.loads((folder / PICTURES).read_text(encoding="utf-8"))
    size, crop = settings["size"], settings["crop_size"]
    preprocess = ImagePreprocess(
        size=(crop["height"], crop["width"]),
        crop_share=crop["height"] / size.get("shortest_edge", crop["height"]),
        interpolation="bilinear" if settings.get("resample", BILINEAR) == BILINEAR else "bicubic",
        mean=tuple(settings["image_mean"]),
        std=tuple(settings["image_std"]),
    )
    return _build_vision(model, preprocess, passport)


def _build_vision(model: Any, preprocess: ImagePreprocess, passport: Passport) -> VisionBackbone:
    model.eval()
    pairs = [(f"layer.{i // 2}", model.layer[i], model.layer[i + 1], i) for i in range(0, len(model.layer), 2)]
    layout = VisionStages(
        stages=(
            VisionStage("stem", ("conv_stem",), model.conv_stem),
            *(
                VisionStage(name, (f"layer.{i}", f"layer.{i + 1}"), torch.nn.Sequential(first, second))
                for name, first, second, i in pairs
            ),
        ),
        pool_last=lambda values: values.mean(dim=(2, 3)),
    )
    passport = Passport.from_json(
        {
            **passport.to_json(),
            "input_size": list(preprocess.size),
            "mean": list(preprocess.mean),
            "std": list(preprocess.std),
        }
    )

    def rebuild() -> VisionBackbone:
        source = Passport(passport.name, f"scratch:{passport.source}")
        return _build_vision(type(model)(model.config, add_pooling_layer=False), preprocess, source)

    def write(folder: Path) -> None:
        config = {**model.config.to_dict(), "architectures": [type(model).__name__]}
        (folder / CONFIG).write_text(json.dumps(config, indent=1, default=str), encoding="utf-8")
        save_file({name: tensor.contiguous() for name, tensor in model.state_dict().items()}, folder / WEIGHTS)
        height, width = preprocess.size
        settings = {
            "size": {"shortest_edge": round(height / preprocess.crop_share)},
            "crop_size": {"height": height, "width": width},
            "resample": BILINEAR if preprocess.interpolation == "bilinear" else BILINEAR + 1,
            "image_mean": list(preprocess.mean),
            "image_std": list(preprocess.std),
        }
        (folder / PICTURES).write_text(json.dumps(settings, indent=1), encoding="utf-8")

    outline = vision_outline(passport.name, "mobilenet_v1", model, layout, preprocess.size)
    return VisionBackbone(outline, model, passport, preprocess, layout, rebuild, write)
