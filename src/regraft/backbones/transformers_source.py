"""Backbones from transformers: from the hub, or from a folder in `save_pretrained` form."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from tokenizers.processors import Sequence as ChainOfProcessors
from tokenizers.processors import TemplateProcessing
from transformers import AutoConfig, AutoModel, AutoTokenizer
from transformers.utils import logging

from regraft.backbones.checkpoints import WEIGHTS, first_of, license_of, one_line, require_safetensors
from regraft.backbones.contract import settings_hash
from regraft.backbones.folders import CONFIG, read_config, read_json
from regraft.backbones.image_preprocessing import ImagePreprocess, crop_share_of
from regraft.backbones.text import LONGEST, TextBackbone, TextPreprocess, text_outline
from regraft.backbones.transformers_families import FAMILIES
from regraft.backbones.vision import VisionBackbone, VisionStage, VisionStages, vision_outline
from regraft.core import BackboneError, Passport, file_sha256

PICTURES = "preprocessor_config.json"
VISION_FAMILY = "mobilenet_v1"
# Of a configuration: what says where a network came from, how it is stored, or what its old head was for.
NOT_COMPUTING = {
    "_name_or_path",
    "architectures",
    "dtype",
    "finetuning_task",
    "id2label",
    "label2id",
    "problem_type",
    "torch_dtype",
    "transformers_version",
}
BILINEAR = 2  # Pillow's number, as transformers writes it


def load_transformers_folder(folder: Path, passport: Passport | None = None) -> TextBackbone | VisionBackbone:
    """The trunk in a `save_pretrained` folder; opens no connection.

    Raises:
        BackboneError: Configuration, weights, tokenizer or preprocessing are missing, damaged or do not go together.
    """
    model_type = read_config(folder)["model_type"]
    known = [name for name, _ in FAMILIES]
    if model_type not in {*known, VISION_FAMILY}:
        raise BackboneError(
            f"{folder}: model_type {model_type} is not one of {', '.join(known)}, {VISION_FAMILY}; "
            "other vision networks are read in timm's form"
        )
    weights = require_safetensors(folder)
    passport = passport or Passport(name=folder.name, source=str(folder), license=license_of(folder))
    passport = replace(passport, sha256=file_sha256(weights))
    logging.set_verbosity_error()  # it warns of the head that is left out, which is the point here
    logging.disable_progress_bar()
    model = _model(folder, {"attn_implementation": "sdpa"} if model_type in known else {})
    if model_type == VISION_FAMILY:
        return _vision(model, folder, passport)
    return build_text(model, _tokenizer(folder, model.config.vocab_size), passport)


def _model(folder: Path, attention: dict[str, str]) -> Any:
    """The trunk with all its weights from the folder."""
    try:
        config = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        model, found = AutoModel.from_pretrained(
            folder,
            config=config,
            local_files_only=True,
            trust_remote_code=False,
            use_safetensors=True,
            dtype=torch.float32,
            output_loading_info=True,
            ignore_mismatched_sizes=True,  # so that they are reported, and refused below by name
            **attention,
        )
    except Exception as error:  # a wrong configuration fails in whatever layer meets it first
        raise BackboneError(
            f"{folder}: cannot be loaded by transformers ({one_line(error)}); save the model again"
        ) from error
    _check_complete(folder, model, found)
    return model


def _check_complete(folder: Path, model: Any, found: dict[str, Any]) -> None:
    """Refuse weights that would leave a part of the trunk at random values.

    Left out on purpose: the pooler, which is removed, and counters that evaluation never reads.
    Position ids and the like are no part of a `state_dict`.
    """
    for name, has, needs in sorted(found["mismatched_keys"], key=str):
        raise BackboneError(
            f"{folder}: {name} in {WEIGHTS} is {tuple(has)}, {CONFIG} makes it {tuple(needs)}; "
            "use the weights and the configuration of one model"
        )
    missing = set(found["missing_keys"])
    lacks = [
        name
        for name in model.state_dict()
        if name in missing and not name.startswith("pooler.") and not name.endswith("num_batches_tracked")
    ]
    if lacks:
        raise BackboneError(f"{folder}: {WEIGHTS} lacks {first_of(lacks)}; save the whole model again")


def _tokenizer(folder: Path, vocabulary: int) -> Any:
    """The folder's tokenizer, which makes no ids that a model of `vocabulary` embeddings lacks."""
    refusal = f"{folder}: no usable tokenizer there; save it beside the model, tokenizer.save_pretrained(folder)"
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False, use_fast=True)
    except Exception as error:  # the tokenizers library raises bare exceptions
        raise BackboneError(refusal) from error
    # Without its files transformers makes an empty one of nothing but special tokens.
    if not tokenizer.is_fast or tokenizer.vocab_size <= len(tokenizer.all_special_ids):
        raise BackboneError(refusal)
    if tokenizer.vocab_size > vocabulary:
        raise BackboneError(
            f"{folder}: the tokenizer makes {tokenizer.vocab_size} tokens, the model knows {vocabulary}; "
            "use the tokenizer that the model was trained with"
        )
    return tokenizer


def _part_pairs(tokenizer: Any) -> None:
    """Put the end-of-text token between the texts of a pair where nothing else would stand, as with GPT-2's tokenizer."""
    end = tokenizer.eos_token
    if end is None or tokenizer.num_special_tokens_to_add(pair=True):
        return
    backend = tokenizer.backend_tokenizer
    parted = TemplateProcessing(single=["$A"], pair=["$A", end, "$B"], special_tokens=[(end, tokenizer.eos_token_id)])
    before = backend.post_processor
    backend.post_processor = parted if before is None else ChainOfProcessors([before, parted])


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
    _part_pairs(tokenizer)
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
    return TextBackbone(
        outline, model, passport, TextPreprocess(tokenizer, length), layout, rebuild, write, _settings(config)
    )


def _vision(model: Any, folder: Path, passport: Passport) -> VisionBackbone:
    """MobileNetV1 of transformers: thirteen pairs of depthwise and pointwise convolutions."""
    settings = read_json(folder / PICTURES)
    try:
        size, crop = settings["size"], settings["crop_size"]
        preprocess = ImagePreprocess(
            size=(crop["height"], crop["width"]),
            crop_share=crop_share_of(crop["height"], size.get("shortest_edge", crop["height"])),
            interpolation="bilinear" if settings.get("resample", BILINEAR) == BILINEAR else "bicubic",
            mean=tuple(settings["image_mean"]),
            std=tuple(settings["image_std"]),
        )
    except (KeyError, TypeError, AttributeError, ZeroDivisionError) as error:
        raise BackboneError(
            f"{folder / PICTURES}: size, crop_size, image_mean or image_std missing or in another form; "
            "save it again, processor.save_pretrained(folder)"
        ) from error
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

    outline = vision_outline(passport.name, VISION_FAMILY, model, layout, preprocess.size)
    settings = _settings(model.config)
    return VisionBackbone(outline, model, passport, preprocess, layout, rebuild, write, settings)


def _settings(config: Any) -> str:
    """What decides how a network computes, its weights apart: its configuration without names and versions."""
    return settings_hash({key: value for key, value in config.to_dict().items() if key not in NOT_COMPUTING})
