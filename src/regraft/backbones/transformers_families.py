"""How the stages of each transformers family follow one another, after the model's own `forward`.

A new family is one function and one line in `FAMILIES`.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from regraft.backbones.text import TextStages


def _hidden(output: Any) -> Tensor:
    """A layer's hidden states; some releases of transformers wrap them in a tuple."""
    hidden: Tensor = output if isinstance(output, Tensor) else output[0]
    return hidden


def _layer(module: Any) -> Callable[[Tensor, Tensor], Tensor]:
    return lambda hidden, mask: _hidden(module(hidden, attention_mask=mask))


def _bert(model: Any) -> TextStages:
    """BERT, MiniLM, RoBERTa and ELECTRA: `embeddings`, then `encoder.layer`."""
    project = getattr(model, "embeddings_project", None)

    def embed(ids: Tensor, types: Tensor) -> Tensor:
        hidden = model.embeddings(input_ids=ids, token_type_ids=types)
        return _hidden(hidden if project is None else project(hidden))

    layers = model.encoder.layer
    return TextStages(
        names=("embeddings", *(f"layer.{i}" for i in range(len(layers)))),
        modules=(("embeddings", "embeddings_project"), *((f"encoder.layer.{i}",) for i in range(len(layers)))),
        embed=embed,
        layers=tuple(_layer(layer) for layer in layers),
    )


def _roberta(model: Any) -> TextStages:
    """RoBERTa counts positions from its padding token, so padding must be told by its own id."""
    stages = _bert(model)
    padding = model.config.pad_token_id

    def embed(ids: Tensor, types: Tensor) -> Tensor:
        # Positions run from padding + 1 whatever the ids are: real tokens always come first here.
        positions = torch.arange(padding + 1, padding + 1 + ids.shape[1], device=ids.device)
        return _hidden(
            model.embeddings(input_ids=ids, token_type_ids=torch.zeros_like(types), position_ids=positions[None])
        )

    return TextStages(stages.names, stages.modules, embed, stages.layers)


def _distilbert(model: Any) -> TextStages:
    layers = model.transformer.layer
    return TextStages(
        names=("embeddings", *(f"layer.{i}" for i in range(len(layers)))),
        modules=(("embeddings",), *((f"transformer.layer.{i}",) for i in range(len(layers)))),
        embed=lambda ids, types: model.embeddings(ids),
        layers=tuple(_layer(layer) for layer in layers),
    )


def _gpt2(model: Any) -> TextStages:
    """GPT-2: the final norm belongs to the last layer."""

    def embed(ids: Tensor, types: Tensor) -> Tensor:
        positions = torch.arange(ids.shape[1], device=ids.device)[None]
        return _hidden(model.drop(model.wte(ids) + model.wpe(positions)))

    layers = [_layer(layer) for layer in model.h]
    last = layers[-1]
    count = len(layers)
    return TextStages(
        names=("embeddings", *(f"h.{i}" for i in range(count))),
        modules=(("wte", "wpe", "drop"), *((f"h.{i}",) for i in range(count - 1)), (f"h.{count - 1}", "ln_f")),
        embed=embed,
        layers=(*layers[:-1], lambda hidden, mask: model.ln_f(last(hidden, mask))),
        causal=True,
    )


# `model_type` of a transformers configuration, and how its stages are found.
FAMILIES: tuple[tuple[str, Callable[[Any], TextStages]], ...] = (
    ("bert", _bert),
    ("electra", _bert),
    ("roberta", _roberta),
    ("distilbert", _distilbert),
    ("gpt2", _gpt2),
)
