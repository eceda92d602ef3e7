"""Source samples among the target's, asked by the original head (Robins 1995, rehearsal; Ratcliff 1990)."""

import random
from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from regraft.backbones.contract import Backbone, State, pooled_last
from regraft.backbones.hidden_words import IGNORED, asked, padded
from regraft.backbones.language_heads import LanguageHead, language_head
from regraft.backbones.source_heads import SourceHead, source_head
from regraft.core import DataError, Split, Train
from regraft.running.batches import Source, Supply
from regraft.running.penalties import Through

# One source sample to this many of the target: a fifth of what a step sees is replayed.
TARGETS_PER_REPLAY = 4


class Lesson(Protocol):
    """Source samples with what the original head should say of them."""

    def __len__(self) -> int:
        """How many there are."""
        ...

    def loss(self, rows: Sequence[int], through: Through, phase: Train, epoch: int) -> Tensor:
        """The sum of the original head's losses on some of them, a scalar."""
        ...


class Replay:
    """Adds the original head's mean loss on source samples, one to every four of the target.

    Which of them go with a target sample is a function of the seed, the epoch and that sample, so that smaller chunks
    of a batch and a resumed run replay the same.
    """

    def __init__(self, lesson: Lesson, strength: float, seed: int) -> None:
        self._lesson, self._strength, self._seed = lesson, strength, seed
        self._companions: dict[int, int] = {}
        self._weights: dict[int, float] = {}

    def begin(self, through: Through, phase: Train, order: Sequence[Sequence[int]], epoch: int) -> None:
        """Choose the epoch's companions."""
        chosen = [batch[::TARGETS_PER_REPLAY] for batch in order]
        places = [position for some in chosen for position in some]
        # A batch's term is the mean over its companions, however the batch is cut into chunks.
        self._weights = {
            position: len(batch) / len(some) for batch, some in zip(order, chosen, strict=True) for position in batch
        }
        rng = random.Random(f"{self._seed}/{epoch}")  # noqa: S311 - not a secret
        count = len(self._lesson)
        rows = [row for _ in range(-(-len(places) // count)) for row in rng.sample(range(count), count)]
        self._companions = dict(zip(places, rows, strict=False))
        self._through, self._phase, self._epoch = through, phase, epoch

    def loss(self, positions: Sequence[int], entered: State, start: int, state: State) -> Tensor:
        """Of the companions of some target samples; over batches of any size it sums to the mean of the whole."""
        rows = [self._companions[one] for one in positions if one in self._companions]
        if not rows:
            return torch.zeros((), device=state[0].device)
        total = self._lesson.loss(rows, self._through, self._phase, self._epoch)
        return self._strength * total * self._weights[positions[0]] / len(positions)


class ClassLesson:
    """Source samples of classes, by the original classifier."""

    def __init__(self, head: SourceHead, backbone: Backbone, split: Split, supply: Supply) -> None:
        self._head, self._backbone, self._split, self._supply = head.module, backbone, split, supply
        self._sources: dict[int, Source] = {}

    def __len__(self) -> int:
        """How many samples."""
        return len(self._split)

    def loss(self, rows: Sequence[int], through: Through, phase: Train, epoch: int) -> Tensor:
        """Cross-entropy over all the classes that the classifier has."""
        if phase.frozen not in self._sources:  # what is frozen is computed once
            self._sources[phase.frozen] = self._supply.source(self._split, phase, training=False)
        source = self._sources[phase.frozen]
        (state,) = source.batches([list(rows)], epoch)
        left = through(state, source.start, phase.frozen)
        pooled = pooled_last(self._backbone, left)
        wanted = torch.tensor([self._split.targets[row] for row in rows], device=pooled.device)
        return cross_entropy(self._head.to(pooled.device)(pooled), wanted, reduction="sum")


class LanguageLesson:
    """Documents, by the original language-model head: other words are hidden at every epoch."""

    def __init__(self, head: LanguageHead, backbone: Backbone, split: Split) -> None:
        self._head, self._backbone, self._split = head, backbone, split
        self._inputs = [backbone.preprocess(one) for one in split.samples]

    def __len__(self) -> int:
        """How many documents."""
        return len(self._split)

    def loss(self, rows: Sequence[int], through: Through, phase: Train, epoch: int) -> Tensor:
        """The sum over documents of the mean loss of their asked tokens."""
        shown, wanted = asked(self._head, [self._inputs[row] for row in rows], [f"{epoch}/{row}" for row in rows])
        hidden, mask = through(self._backbone.collate(shown), 0, phase.frozen)
        answers = padded(wanted, mask.shape[1]).to(hidden.device)
        logits = self._head.module.to(hidden.device)(hidden.float())
        nats = cross_entropy(logits.transpose(1, 2), answers, ignore_index=IGNORED, reduction="none")
        return (nats.sum(dim=1) / (answers != IGNORED).sum(dim=1).clamp(min=1)).sum()


def build_replay(backbone: Backbone, split: Split, supply: Supply, strength: float) -> Replay:
    """Replay of a split of source data: of pictures, targets are outputs of the original classifier."""
    if not len(split):
        raise DataError("--source: none of its samples are left to learn from; give more")
    if backbone.kind == "image":
        head = source_head(backbone.passport, offline=True)
        return Replay(ClassLesson(head, backbone, split, supply), strength, supply.seed)
    tokenizer = getattr(backbone.preprocess, "tokenizer", None)
    words = language_head(backbone.passport, tokenizer, offline=True)
    return Replay(LanguageLesson(words, backbone, split), strength, supply.seed)
