"""Forgetting of a trunk that was pre-trained as a language model: perplexity under its original head."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from regraft.activations.store import ActivationStore
from regraft.backbones.contract import Backbone
from regraft.backbones.hidden_words import IGNORED, asked, padded
from regraft.backbones.language_heads import LanguageHead
from regraft.core import TextSample
from regraft.forgetting.measure import Progress, Scores

BATCH = 16  # a batch's logits are (16, T, V): half a gigabyte at 256 tokens and 30,000 words


@dataclass(frozen=True)
class LanguageMeasure:
    """Perplexity on documents, each cut at what the network reads at once.

    Of a causal model: exp of the mean negative log-likelihood of every token but the first, given those before it.
    Of a masked model a pseudo-perplexity: the same of 15 % of each document's tokens, hidden together, given the rest.
    Hiding them together needs one pass a document where hiding them one by one (Salazar 2020) needs one a token; which
    they are is a function of the document, so that trunks are compared on the same questions.

    Attributes:
        head: The original head.
        samples: N documents.
        metric: `perplexity` or `masked_perplexity`.
        classes: 0.
    """

    head: LanguageHead
    samples: tuple[TextSample, ...]
    metric: str = "perplexity"
    classes: int = 0

    @property
    def strata(self) -> Sequence[int]:
        """Documents have no classes."""
        return (0,) * len(self.samples)

    @property
    def groups(self) -> Sequence[int]:
        """Each document stands alone."""
        return range(len(self.samples))

    def part(self, rows: Sequence[int]) -> "LanguageMeasure":
        """Some of the documents."""
        return LanguageMeasure(self.head, tuple(self.samples[row] for row in rows), self.metric)

    def scores(
        self,
        backbone: Backbone,
        *,
        store: ActivationStore | None = None,
        device: str = "cpu",
        progress: Progress | None = None,
    ) -> Scores:
        """Nats of each document's asked tokens, and how many they are."""
        inputs = [backbone.preprocess(one) for one in self.samples]
        shown, wanted = asked(self.head, inputs, [one.digest for one in self.samples])
        order = sorted(range(len(shown)), key=lambda row: -shown[row].shape[1])
        wrong, terms = np.zeros(len(shown)), np.zeros(len(shown))
        trunk, head = backbone.module.to(device).eval(), self.head.module.to(device)
        with torch.inference_mode():
            for begin in range(0, len(order), BATCH):
                rows = order[begin : begin + BATCH]
                state = tuple(one.to(device) for one in backbone.collate([shown[row] for row in rows]))
                hidden, mask = backbone.run(state, 0, len(backbone.outline))
                answers = padded([wanted[row] for row in rows], mask.shape[1]).to(device)
                nats = cross_entropy(
                    head(hidden.float()).transpose(1, 2), answers, ignore_index=IGNORED, reduction="none"
                )
                wrong[rows] = nats.double().sum(dim=1).cpu().numpy()
                terms[rows] = (answers != IGNORED).sum(dim=1).cpu().numpy()
                if progress is not None:
                    progress(begin + len(rows), len(order))
        trunk.cpu()
        head.cpu()
        return Scores(wrong, terms)

    def value(self, rate: float) -> float:
        """Perplexity."""
        return math.exp(min(rate, 700.0))

    def lost(self, before: float, after: float) -> float:
        """The share that perplexity rose by."""
        return math.expm1(min(after - before, 700.0))


def language_measure(samples: Sequence[TextSample], head: LanguageHead) -> LanguageMeasure:
    """The measure on documents."""
    return LanguageMeasure(head, tuple(samples), "perplexity" if head.task == "causal" else "masked_perplexity")
