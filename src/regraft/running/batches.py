"""Where training batches come from: pooled features, stored boundary activations, or samples computed anew."""

import random
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from regraft.activations.extract import (
    BoundaryActivations,
    Extraction,
    boundary_activations,
    pooled_features,
    views_within,
)
from regraft.activations.processor import decoders
from regraft.activations.store import ActivationStore, NoRoomError
from regraft.backbones.contract import Backbone, State
from regraft.core import Split, Train
from regraft.heads import Reads

MEGA_BATCH = 50  # batches within which texts are sorted by length: little padding, still well shuffled
POOLED_VIEWS = 8


class Source(Protocol):
    """Batches of one split, entering a known stage.

    Attributes:
        start: The stage that its states enter; the number of stages if they are pooled features.
    """

    @property
    def start(self) -> int:
        """The stage that its states enter; the number of stages if they are pooled features."""
        ...

    def batches(self, order: list[list[int]], epoch: int) -> Iterator[State]:
        """One state per list of positions; `epoch` chooses the augmented view."""
        ...


@dataclass(frozen=True)
class PooledSource:
    """Pooled features of the last stage, (V, N, D)."""

    start: int
    features: NDArray[np.float32]

    def batches(self, order: list[list[int]], epoch: int) -> Iterator[State]:
        """Rows of the epoch's view."""
        view = self.features[epoch % len(self.features)]
        for positions in order:
            yield (torch.from_numpy(view[positions]),)


@dataclass(frozen=True)
class StoredSource:
    """Activations at the boundary."""

    start: int
    activations: BoundaryActivations

    def batches(self, order: list[list[int]], epoch: int) -> Iterator[State]:
        """Stored states of the epoch's view."""
        for positions in order:
            yield self.activations.batch(positions, epoch)


@dataclass(frozen=True)
class SampleSource:
    """Samples preprocessed when they are needed, by threads, two batches ahead."""

    backbone: Backbone
    split: Split
    augment: bool
    seed: int
    start: int = 0

    def batches(self, order: list[list[int]], epoch: int) -> Iterator[State]:
        """Collated inputs; augmented ones are a function of the sample, the seed and the epoch."""
        ahead: deque[list[Future[Tensor]]] = deque()
        with ThreadPoolExecutor(decoders()) as pool:
            for positions in order:
                ahead.append([pool.submit(self._prepared, position, epoch) for position in positions])
                if len(ahead) > 2:
                    yield self._collated(ahead.popleft())
            while ahead:
                yield self._collated(ahead.popleft())

    def _prepared(self, position: int, epoch: int) -> Tensor:
        sample = self.split.samples[position]
        if self.augment:
            return self.backbone.preprocess.augmented(sample, self.seed * 100_003 + epoch)
        return self.backbone.preprocess(sample)

    def _collated(self, futures: list[Future[Tensor]]) -> State:
        return self.backbone.collate([future.result() for future in futures])


@dataclass(frozen=True)
class Supply:
    """Makes the sources of a phase.

    Attributes:
        extractions: What filling the store took, appended to as sources are made.
        reads: What the head reads of the trunk.
        notes: What is worth telling of the sources that were made.
    """

    backbone: Backbone
    store: ActivationStore | None
    device: str
    precision: str
    seed: int
    progress: Callable[[str, int, int], None] | None
    extractions: list[Extraction]
    reads: Reads = "pooled"
    notes: list[str] = field(default_factory=list)

    def source(self, split: Split, phase: Train, *, training: bool) -> Source:
        """The cheapest source for a split: stored where a prefix is frozen and there is room for it, else samples."""
        augment = phase.augment and training and self.backbone.kind == "image"
        samples = SampleSource(self.backbone, split, augment, self.seed)
        if not phase.cache or phase.frozen == 0 or self.store is None:
            return samples
        if phase.frozen == len(self.backbone.outline) and self.reads != "tokens":
            return self._pooled(split, POOLED_VIEWS if augment else 0)
        try:
            return self._stored(split, phase, self.store, augment=augment)
        except NoRoomError as error:
            self.notes.append(f"frozen stages are computed anew every epoch ({error})")
            return samples

    def _pooled(self, split: Split, views: int) -> PooledSource:
        seeds = [self.seed * POOLED_VIEWS + view for view in range(views)]
        last = len(self.backbone.outline) - 1
        (features,), extraction = pooled_features(
            self.backbone,
            split.samples,
            self.store,
            stages=[last],
            views=seeds,
            device=self.device,
            precision=self.precision,
            progress=self._report(),
        )
        self.extractions.append(extraction)
        return PooledSource(last + 1, features.reshape(max(views, 1), len(split), -1))

    def _stored(self, split: Split, phase: Train, store: ActivationStore, *, augment: bool) -> StoredSource:
        views = 0
        if augment:
            views = phase.views or views_within(
                self.backbone, phase.frozen, split.samples[0], len(split), store.budget_bytes, phase.epochs
            )
        activations = boundary_activations(
            self.backbone,
            split.samples,
            phase.frozen,
            store,
            views=views,
            seed=self.seed,
            device=self.device,
            precision=self.precision,
            progress=self._report(),
        )
        self.extractions.append(activations.extraction)
        return StoredSource(phase.frozen, activations)

    def _report(self) -> Callable[[int, int], None] | None:
        progress = self.progress
        return None if progress is None else lambda done, total: progress("features", done, total)


def text_lengths(backbone: Backbone, split: Split) -> list[int]:
    """Tokens of each text; empty for pictures, whose size is always the same."""
    if backbone.kind == "image":
        return []
    preprocess: Any = backbone.preprocess  # of a text trunk: it takes many samples at once
    return [one.shape[1] for one in preprocess.many(split.samples)]


def training_order(count: int, batch_size: int, lengths: Sequence[int], seed: str) -> list[list[int]]:
    """Shuffled batches of positions; with lengths, texts of like length stand together.

    The last, smaller batch is kept, so that each sample is seen once an epoch.
    """
    rng = random.Random(seed)  # noqa: S311 - not a secret
    positions = rng.sample(range(count), count)
    if lengths:
        mega = MEGA_BATCH * batch_size
        positions = [
            one
            for begin in range(0, count, mega)
            for one in sorted(positions[begin : begin + mega], key=lambda position: lengths[position])
        ]
    batches = [positions[begin : begin + batch_size] for begin in range(0, count, batch_size)]
    if len(batches) > 1 and len(batches[-1]) == 1:  # batch statistics of one sample do not exist
        batches[-2:] = [batches[-2] + batches[-1]]
    if lengths:
        rng.shuffle(batches)
    return batches


def plain_order(count: int, batch_size: int, lengths: Sequence[int]) -> list[list[int]]:
    """All positions once, longest texts first."""
    positions = sorted(range(count), key=lambda position: -lengths[position]) if lengths else list(range(count))
    return [positions[begin : begin + batch_size] for begin in range(0, count, batch_size)]
