"""The same architectures with random weights, or with the same ones once more."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import timm
import torch

from regraft.backbones.bundled import bundled_folder
from regraft.backbones.contract import Backbone
from regraft.backbones.text import TextBackbone
from regraft.backbones.timm_source import scratch_timm
from regraft.core import BackboneError, Passport


def reinitialised(backbone: Backbone, seed: int) -> Backbone:
    """The same architecture with random weights that depend on `seed` alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return backbone.rebuild()


def copied(backbone: Backbone) -> Backbone:
    """The same trunk once more, on the CPU and in evaluation mode: what happens to one does not touch the other."""
    fresh = reinitialised(backbone, 0)
    fresh.module.load_state_dict(backbone.module.state_dict())
    fresh.module.requires_grad_(False)
    return fresh


def load_scratch(name: str, load: Callable[[str], Backbone], seed: int = 0) -> Backbone:
    """A named architecture with random weights; only what is on this machine is asked for.

    Args:
        name: A timm name, a well-known transformers name, a folder or `bundled:NAME`.
        load: Loads a backbone whose architecture is to be taken, and refuses a name that there is not.
        seed: Of the weights.
    """
    plain = name.removeprefix("timm:").removeprefix("hf:")
    if timm.is_model(plain):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return scratch_timm(plain)
    if plain in TEXT_ARCHITECTURES:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return _scratch_text(plain)
    fresh: Any = reinitialised(load(name), seed)
    named: Backbone = replace(fresh, passport=Passport(fresh.passport.name, f"scratch:{name}"))
    return named


# Configurations of well-known checkpoints: what differs from the defaults of their classes.
TEXT_ARCHITECTURES: dict[str, tuple[str, dict[str, int]]] = {
    "bert-base-uncased": ("bert", {}),
    "distilbert-base-uncased": ("distilbert", {}),
    "roberta-base": ("roberta", {"max_position_embeddings": 514, "type_vocab_size": 1}),
    "google/electra-small-discriminator": ("electra", {}),
    "gpt2": ("gpt2", {}),
}


def _scratch_text(name: str) -> TextBackbone:
    """A text architecture with random weights and the embedded word pieces: its own need the hub."""
    from transformers import AutoConfig, AutoModel, AutoTokenizer  # noqa: PLC0415 - only text needs transformers

    from regraft.backbones.transformers_source import build_text  # noqa: PLC0415

    model_type, settings = TEXT_ARCHITECTURES[name]
    tokenizer = AutoTokenizer.from_pretrained(bundled_folder("minilm"), local_files_only=True)
    config = AutoConfig.for_model(model_type, **{**settings, "vocab_size": len(tokenizer)})
    if model_type == "gpt2":
        config.bos_token_id = config.eos_token_id = tokenizer.sep_token_id
    if config.vocab_size < len(tokenizer):
        raise BackboneError(f"scratch:{name}: vocabulary too small")
    return build_text(
        AutoModel.from_config(config, attn_implementation="sdpa"), tokenizer, Passport(name, f"scratch:{name}")
    )
