"""The language-model head that a text backbone was pre-trained with: what it still knows of language, in perplexity."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn
from transformers import AutoModelForCausalLM, AutoModelForMaskedLM
from transformers.utils import logging

from regraft.backbones.checkpoints import WEIGHTS, one_line
from regraft.backbones.folders import read_config
from regraft.backbones.origin import original_folder
from regraft.core import BackboneError, Passport, file_sha256

LanguageTask = Literal["masked", "causal"]


@dataclass(frozen=True)
class LanguageHead:
    """An original language-model head, untied from the trunk: tuning the embeddings does not change it.

    Attributes:
        module: From hidden states of the last stage (B, T, D) to logits over the vocabulary (B, T, V).
        task: Whether hidden tokens or next tokens are predicted.
        mask_token: What stands for a hidden token; -1 of a causal model.
        special: Ids that are never hidden.
    """

    module: nn.Module
    task: LanguageTask
    mask_token: int
    special: frozenset[int]


class _Electra(nn.Module):
    def __init__(self, model: Any) -> None:
        super().__init__()
        self.transform, self.words = model.generator_predictions, model.generator_lm_head

    def forward(self, hidden: Tensor) -> Tensor:
        logits: Tensor = self.words(self.transform(hidden))
        return logits


class _DistilBert(nn.Module):
    def __init__(self, model: Any) -> None:
        super().__init__()
        self.transform, self.norm, self.words = model.vocab_transform, model.vocab_layer_norm, model.vocab_projector
        self.activation = model.activation

    def forward(self, hidden: Tensor) -> Tensor:
        logits: Tensor = self.words(self.norm(self.activation(self.transform(hidden))))
        return logits


# `model_type` of a configuration: its head, taken out of transformers' own model for that task.
HEADS: dict[str, Callable[[Any], nn.Module]] = {
    "bert": lambda model: model.cls,
    "electra": _Electra,
    "roberta": lambda model: model.lm_head,
    "distilbert": _DistilBert,
    "gpt2": lambda model: model.lm_head,
}
CAUSAL = {"gpt2"}


def language_head(passport: Passport, tokenizer: Any, *, offline: bool = False) -> LanguageHead:
    """The original language-model head of a text backbone.

    Args:
        passport: Of the backbone, which says where its weights came from.
        tokenizer: Of the same backbone.
        offline: Open no connection.

    Raises:
        BackboneError: The weights come without such a head, are not where they were, or have changed.
    """
    folder = _folder(passport, offline=offline)
    if passport.sha256 and file_sha256(folder / WEIGHTS) != passport.sha256:
        raise BackboneError(
            f"{folder / WEIGHTS}: other weights than those that the model was made from; put the old ones back"
        )
    kind = str(read_config(folder).get("model_type"))
    if kind not in HEADS:
        raise BackboneError(f"{passport.source}: a language-model head of model_type {kind} is not known")
    model = _model(folder, causal=kind in CAUSAL)
    if kind not in CAUSAL and tokenizer.mask_token_id is None:
        raise BackboneError(f"{passport.source}: its tokenizer has no mask token, so that no word can be hidden")
    return LanguageHead(
        HEADS[kind](model).eval().requires_grad_(requires_grad=False),
        "causal" if kind in CAUSAL else "masked",
        -1 if kind in CAUSAL else int(tokenizer.mask_token_id),
        frozenset(tokenizer.all_special_ids),
    )


def _folder(passport: Passport, *, offline: bool) -> Path:
    """Where the original weights are."""
    folder = original_folder(passport, offline=offline)
    if folder is None:
        raise BackboneError(f"{passport.source}: the original weights are not there, so that their head cannot be had")
    return folder


def _model(folder: Path, *, causal: bool) -> Any:
    """The whole pretrained model, head included, every weight from the folder."""
    loader: Any = AutoModelForCausalLM if causal else AutoModelForMaskedLM
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        model, found = loader.from_pretrained(
            folder,
            local_files_only=True,
            trust_remote_code=False,
            use_safetensors=True,
            dtype=torch.float32,
            output_loading_info=True,
        )
    except Exception as error:  # a wrong configuration fails in whatever layer meets it first
        raise BackboneError(f"{folder}: cannot be loaded by transformers ({one_line(error)})") from error
    lacks = sorted(name for name in found["missing_keys"] if ".pooler." not in name)
    if lacks:
        raise BackboneError(
            f"{folder}: {WEIGHTS} has no language-model head (it lacks {lacks[0]}), so that perplexity cannot be "
            "measured; save the model with its head, or take a backbone that has one"
        )
    return model
