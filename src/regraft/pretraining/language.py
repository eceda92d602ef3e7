"""Learning a language: hidden tokens from both sides (mlm), or each token from those before it (clm)."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from regraft.pretraining.contract import Draw
from regraft.pretraining.corpus import Blocks
from regraft.pretraining.recipes import Causal, Masked

QUICK = 128  # held-out blocks looked at while training
EVALUATED = 16
REPLACED, RANDOM = 0.8, 0.1  # of the chosen tokens; the rest stay as they are (Devlin 2019, appendix A.1)
SEED = 1  # of the hidden tokens of held-out texts: the same at every look

# How each family goes on from hidden states to logits: the network's own head, without its trunk.
HEADS: dict[str, Callable[[Any, Tensor], Tensor]] = {
    "bert": lambda model, hidden: model.cls(hidden),
    "roberta": lambda model, hidden: model.lm_head(hidden),
    "electra": lambda model, hidden: model.generator_lm_head(model.generator_predictions(hidden)),
    "distilbert": lambda model, hidden: model.vocab_projector(
        model.vocab_layer_norm(model.activation(model.vocab_transform(hidden)))
    ),
    "gpt2": lambda model, hidden: model.lm_head(hidden),
}


class LanguageLearner(nn.Module):
    """A language model of transformers; its head runs only where there is something to be told."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, ids: Tensor, wanted: Tensor) -> Tensor:
        """The summed cross-entropy.

        Args:
            ids: int64 (B, T).
            wanted: int64 (B, T): the token to be told at each place, -100 where none is.
        """
        return F.cross_entropy(self.logits(ids, wanted).float(), wanted[wanted >= 0], reduction="sum")

    def logits(self, ids: Tensor, wanted: Tensor) -> Tensor:
        """(K, V) at the K places where a token is wanted."""
        hidden = self.model.base_model(input_ids=ids, attention_mask=torch.ones_like(ids))[0]
        return HEADS[self.model.config.model_type](self.model, hidden[wanted >= 0])


@dataclass
class LanguageObjective:
    """Masked or causal language modelling of blocks of text.

    Attributes:
        model: A masked or causal language model of transformers.
        tokenizer: Its tokenizer.
        train: Blocks to learn from.
        aside: Blocks to watch the run by.
        recipe: `Masked` or `Causal`.
    """

    model: Any
    tokenizer: Any
    train: Blocks
    aside: Blocks
    recipe: Masked | Causal
    learner: LanguageLearner = field(init=False)

    def __post_init__(self) -> None:
        self.learner = LanguageLearner(self.model)
        if isinstance(self.recipe, Causal):
            for module in self.model.modules():
                if isinstance(module, nn.Dropout):
                    module.p = self.recipe.dropout

    @property
    def count(self) -> int:
        """Blocks to learn from."""
        return len(self.train)

    def draw(self, rows: Sequence[int], mine: slice, generator: torch.Generator, share: float) -> Draw:
        """Blocks with what is to be told of them."""
        ids, wanted = self._posed(self.train.rows(list(rows)), generator)
        return Draw((ids[mine], wanted[mine]), int((wanted >= 0).sum()))

    def _posed(self, blocks: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """(B, T) inputs and wanted tokens of (B, length) blocks."""
        if isinstance(self.recipe, Causal):
            nothing = blocks.new_full((len(blocks), 1), -100)
            return blocks, torch.cat([blocks[:, 1:], nothing], dim=1)
        wanted, ids = self._hidden(blocks, generator)
        first, last = (
            blocks.new_full((len(blocks), 1), one) for one in (self.tokenizer.cls_token_id, self.tokenizer.sep_token_id)
        )
        nothing = blocks.new_full((len(blocks), 1), -100)
        return torch.cat([first, ids, last], dim=1), torch.cat([nothing, wanted, nothing], dim=1)

    def _hidden(self, blocks: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Wanted tokens, and the blocks with most of these replaced by the mask or a random token."""
        chosen = torch.rand(blocks.shape, generator=generator) < self.recipe.mask_share  # type: ignore[union-attr]
        chosen &= blocks != self.tokenizer.sep_token_id
        fate = torch.rand(blocks.shape, generator=generator)
        other = torch.randint(0, len(self.tokenizer), blocks.shape, generator=generator)
        ids = torch.where(chosen & (fate < REPLACED), self.tokenizer.mask_token_id, blocks)
        ids = torch.where(chosen & (fate >= REPLACED) & (fate < REPLACED + RANDOM), other, ids)
        return torch.where(chosen, blocks, -100), ids

    def cost(self, share: float) -> float:
        """Every block costs the same."""
        return 1.0

    def held_out(self, device: str, *, all_of_it: bool) -> dict[str, float]:
        """Loss, perplexity and accuracy on held-out texts; of mlm at tokens hidden once and for all."""
        positions = list(range(len(self.aside)))
        if not all_of_it and len(positions) > QUICK:
            positions = positions[:: -(-len(positions) // QUICK)]
        if not positions:
            return {}
        generator = torch.Generator().manual_seed(SEED)
        loss, right, terms = 0.0, 0, 0
        self.learner.eval()
        with torch.inference_mode():
            for begin in range(0, len(positions), EVALUATED):
                ids, wanted = self._posed(self.aside.rows(positions[begin : begin + EVALUATED]), generator)
                logits = self.learner.logits(ids.to(device), wanted.to(device)).float().cpu()
                told = wanted[wanted >= 0]
                loss += float(F.cross_entropy(logits, told, reduction="sum"))
                right, terms = right + int((logits.argmax(dim=1) == told).sum()), terms + len(told)
        self.learner.train()
        mean = loss / max(terms, 1)
        return {"loss": mean, "perplexity": math.exp(min(mean, 50.0)), "accuracy": right / max(terms, 1)}

    def write(self, folder: Path, facts: dict[str, Any]) -> None:
        """Transformers' `save_pretrained` form: the whole language model with its head, and the tokenizer."""
        self.model.save_pretrained(folder)
        self.tokenizer.save_pretrained(folder)
