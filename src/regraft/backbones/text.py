"""A text trunk: embeddings, layers, and pooled features over real tokens."""

import functools
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn

from regraft.backbones.contract import State
from regraft.backbones.ownership import has_dense, stage_sizes
from regraft.core import DataError, Outline, Passport, Sample, Stage, TextSample

LONGEST = 256  # tokens; longer texts are cut, as their cost grows with the square of the length


@dataclass(frozen=True)
class TextPreprocess:
    """A checkpoint's tokenizer, with texts cut at `max_length` tokens."""

    tokenizer: Any = field(repr=False)
    max_length: int

    @functools.cached_property
    def fingerprint(self) -> str:
        """sha256 of the tokenizer and the length, hexadecimal."""
        state = json.loads(self.tokenizer.backend_tokenizer.to_str())
        for changing in ("truncation", "padding"):  # left over from the last call, and given anew at each
            state.pop(changing, None)
        return hashlib.sha256(f"{json.dumps(state)}/{self.max_length}".encode()).hexdigest()

    def __call__(self, sample: Sample) -> Tensor:
        """Token ids and token types, int64 (2, T)."""
        return self.many([sample])[0]

    def many(self, samples: Sequence[Sample]) -> list[Tensor]:
        """The same of many samples: the tokenizer takes them in one call, on all cores."""
        texts = []
        for sample in samples:
            if not isinstance(sample, TextSample):
                raise DataError(f"{sample.source}: this backbone reads text, not pictures; choose a vision backbone")
            texts.append(sample.text if sample.text_pair is None else (sample.text, sample.text_pair))
        if not texts:
            return []
        encoded = self.tokenizer(
            texts,
            truncation=True,
            max_length=self.max_length,
            return_token_type_ids=True,
            return_attention_mask=False,
        )
        empty = [self.tokenizer.eos_token_id or 0]  # GPT-2 makes nothing of an empty text
        return [
            torch.tensor([ids or empty, types or [0]], dtype=torch.long)
            for ids, types in zip(encoded["input_ids"], encoded["token_type_ids"], strict=True)
        ]

    def offsets(self, sample: TextSample, *, truncate: bool = True) -> list[tuple[int, int, int]]:
        """(part, first character, end) of every token: part 0 is the text, 1 its pair, -1 a special token."""
        encoded = self.tokenizer(
            sample.text,
            sample.text_pair,
            truncation=truncate,
            max_length=self.max_length if truncate else None,
            return_offsets_mapping=True,
            verbose=False,  # that a text is longer than the network reads is why we ask
        )
        parts = encoded.sequence_ids(0)
        return [
            (-1 if part is None else part, begin, end)
            for part, (begin, end) in zip(parts, encoded["offset_mapping"], strict=True)
        ]

    def augmented(self, sample: Sample, seed: int) -> Tensor:
        """The same as the plain view: there is no change of words that is sure to keep the label."""
        return self(sample)


@dataclass(frozen=True)
class TextStages:
    """The stages of one network.

    Attributes:
        names: Stage names, input side first; the first are the embeddings.
        modules: What each stage owns.
        embed: (ids, types), each (B, T), to hidden states (B, T, D).
        layers: One per stage after the first: hidden (B, T, D) and attention mask (B, 1, T, T) to hidden.
        causal: A token sees only those before it; at the last stage the last real token stands for the text.
    """

    names: tuple[str, ...]
    modules: tuple[tuple[str, ...], ...]
    embed: Callable[[Tensor, Tensor], Tensor]
    layers: tuple[Callable[[Tensor, Tensor], Tensor], ...]
    causal: bool = False


@dataclass(frozen=True)
class TextBackbone:
    """A text trunk as the `Backbone` protocol describes it."""

    outline: Outline
    module: nn.Module = field(repr=False)
    passport: Passport
    preprocess: TextPreprocess
    layout: TextStages = field(repr=False)
    rebuild: Callable[[], "TextBackbone"] = field(repr=False)
    write: Callable[[Path], None] = field(repr=False)
    settings: str = field(repr=False)
    kind: Literal["text"] = "text"

    def _repr_html_(self) -> str:
        return self.outline._repr_html_() + self.passport._repr_html_()

    def collate(self, inputs: Sequence[Tensor]) -> State:
        """Ids, mask and types, each int64 (B, T), padded on the right to the longest of the batch."""
        longest = max(one.shape[1] for one in inputs)
        batch = torch.zeros(3, len(inputs), longest, dtype=torch.long)
        for row, one in enumerate(inputs):
            length = one.shape[1]
            batch[0, row, :length] = one[0]
            batch[1, row, :length] = 1
            batch[2, row, :length] = one[1]
        return batch[0], batch[1], batch[2]

    def run(self, state: State, start: int, stop: int) -> State:
        """Stages `start` to `stop - 1`."""
        if start >= stop:
            return state
        if start == 0:
            ids, mask, types = state
            hidden = self.layout.embed(ids, types)
        else:
            hidden, mask = state
        attention = _attention_mask(mask, causal=self.layout.causal)
        for layer in self.layout.layers[max(start - 1, 0) : stop - 1]:
            hidden = layer(hidden, attention)
        return hidden, mask

    def pool(self, state: State, stage: int) -> Tensor:
        """The mean over real tokens; at the last stage of a causal trunk the last real token.

        Before the last stage that token has gathered little of the text (at the embeddings: nothing).
        """
        hidden, mask = state
        if self.layout.causal and stage == len(self.outline) - 1:
            last = mask.sum(dim=1, keepdim=True) - 1
            return hidden.gather(1, last[:, :, None].expand(-1, -1, hidden.shape[2]))[:, 0]
        weights = mask[:, :, None].to(hidden.dtype)
        return (hidden * weights).sum(dim=1) / weights.sum(dim=1)


def _attention_mask(mask: Tensor, *, causal: bool) -> Tensor:
    """True where a token may look, bool (B, 1, T, T)."""
    length = mask.shape[1]
    allowed = mask.bool()[:, None, None, :].expand(-1, 1, length, -1)
    if causal:
        return allowed & torch.ones(length, length, dtype=torch.bool, device=mask.device).tril()
    return allowed


def text_outline(name: str, family: str, module: nn.Module, layout: TextStages, width: int) -> Outline:
    """The outline of a text trunk.

    Raises:
        BackboneError: A parameter lies in no stage, or in several.
    """
    sizes = stage_sizes(name, module, layout.modules)
    rows = zip(layout.names, layout.modules, sizes, strict=True)
    stages = [Stage(stage, owned, size, width, has_dense(module, owned)) for stage, owned, size in rows]
    return Outline(name, family, tuple(stages))
