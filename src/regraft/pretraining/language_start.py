"""What language pre-training starts from: an architecture with random weights, or a backbone's folder."""

import contextlib
from pathlib import Path
from typing import Any, Literal

import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForMaskedLM
from transformers.utils import logging

from regraft.backbones.bundled import bundled_folder
from regraft.backbones.checkpoints import one_line, require_safetensors
from regraft.backbones.folders import local_folder
from regraft.backbones.hub import hub_folder, parse_repository
from regraft.backbones.scratch import TEXT_ARCHITECTURES
from regraft.core import BackboneError, OptionError
from regraft.pretraining.language import HEADS

Kind = Literal["mlm", "clm"]
CLASSES: dict[str, Any] = {"mlm": AutoModelForMaskedLM, "clm": AutoModelForCausalLM}
CAUSAL = ("gpt2",)

# Small networks by name: layers, width, attention heads (Turc 2019, Well-read students learn better, table 1).
SMALL: dict[str, tuple[str, int, int, int]] = {
    "bert-tiny": ("bert", 2, 128, 2),
    "bert-mini": ("bert", 4, 256, 4),
    "bert-small": ("bert", 4, 512, 8),
    "gpt2-tiny": ("gpt2", 2, 128, 2),
    "gpt2-mini": ("gpt2", 4, 256, 4),
    "gpt2-small": ("gpt2", 4, 512, 8),
}


def fresh_language(architecture: str, objective: Kind, tokenizer: Any, length: int, seed: int) -> Any:
    """A language model with random weights that depend on `seed` alone.

    Args:
        architecture: A small name such as `bert-mini`, a well-known checkpoint's name, or a model type of
            transformers with settings, `bert:num_hidden_layers=3,hidden_size=192`.
        objective: `mlm` or `clm`.
        tokenizer: Its size is that of the vocabulary.
        length: Tokens of a block; the network reads at least as many.
        seed: Of the weights.

    Raises:
        OptionError: There is no such architecture, or it is not for this objective.
    """
    model_type, settings = _settings(architecture)
    if (model_type in CAUSAL) != (objective == "clm") or model_type not in HEADS:
        fit = [name for name in HEADS if (name in CAUSAL) == (objective == "clm")]
        raise OptionError(
            f"--architecture {architecture}: not for {objective}; use {', '.join(fit)} or a small one of these"
        )
    special: dict[str, Any] = {"vocab_size": len(tokenizer), "pad_token_id": tokenizer.pad_token_id}
    if objective == "clm":
        special |= {"bos_token_id": tokenizer.bos_token_id, "eos_token_id": tokenizer.eos_token_id}
    if model_type == "roberta":
        special["max_position_embeddings"] = max(length, 512) + (tokenizer.pad_token_id or 0) + 1
    try:
        config = AutoConfig.for_model(model_type, **{**settings, **special})
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return CLASSES[objective].from_config(config, attn_implementation="sdpa")
    except (TypeError, ValueError) as error:
        raise OptionError(f"--architecture {architecture}: cannot be built ({one_line(error)})") from error


def _settings(architecture: str) -> tuple[str, dict[str, Any]]:
    """A model type and what differs from its defaults."""
    name, _, said = architecture.partition(":")
    if name in SMALL:
        model_type, layers, width, heads = SMALL[name]
        if model_type == "gpt2":
            return model_type, {"n_layer": layers, "n_embd": width, "n_head": heads}
        sizes = {"hidden_size": width, "intermediate_size": 4 * width}
        return model_type, {"num_hidden_layers": layers, "num_attention_heads": heads, **sizes}
    if name in TEXT_ARCHITECTURES:
        return TEXT_ARCHITECTURES[name][0], dict(TEXT_ARCHITECTURES[name][1])
    if name not in HEADS:
        known = [*SMALL, *TEXT_ARCHITECTURES, *(f"{one}:KEY=VALUE,…" for one in HEADS)]
        raise OptionError(f"--architecture {architecture}: unknown; use {', '.join(known)}")
    settings: dict[str, Any] = {}
    for word in filter(None, said.split(",")):
        key, equals, value = word.partition("=")
        if not equals or not value.replace(".", "", 1).isdecimal():
            raise OptionError(f"--architecture {architecture}: {word} is not KEY=NUMBER")
        settings[key] = float(value) if "." in value else int(value)
    return name, settings


def started_language(folder: Path, objective: Kind) -> Any:
    """The language model of a folder; a head that it lacks begins anew.

    Raises:
        BackboneError: The weights cannot be used for this objective.
    """
    require_safetensors(folder)
    logging.set_verbosity_error()  # it warns of a new head, which is expected where the backbone has none
    try:
        config = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        if config.model_type not in HEADS or (config.model_type in CAUSAL) != (objective == "clm"):
            raise BackboneError(f"--from {folder}: {config.model_type} does not go with --objective {objective}")
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            return CLASSES[objective].from_pretrained(
                folder,
                config=config,
                local_files_only=True,
                trust_remote_code=False,
                use_safetensors=True,
                dtype=torch.float32,
                attn_implementation="sdpa",
            )
    except (OSError, ValueError, RuntimeError) as error:
        raise BackboneError(f"--from {folder}: cannot be loaded by transformers ({one_line(error)})") from error


def language_folder(source: str, *, offline: bool) -> Path:
    """Where the files of a text backbone are.

    Raises:
        BackboneError: It is not to be had.
    """
    kind, _, rest = source.partition(":")
    if kind == "bundled":
        return bundled_folder(rest)
    with contextlib.suppress(BackboneError):
        folder = local_folder(source, source)
        if folder is not None:
            return folder
    repository, revision = parse_repository(rest if kind == "hf" else source, source)
    return hub_folder(repository, revision, offline=offline)
