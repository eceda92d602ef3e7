"""One pass of the frozen trunk over samples: pooled features of all stages, or activations at a boundary."""

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from regraft.activations.engine import Outputs, TrunkEngine, compile_trunk, engine_inputs, lowest_precision
from regraft.activations.processor import decoders
from regraft.activations.recipes import prefix_hash, recipe_key, sample_key
from regraft.activations.rows import Floats, MemoryRecipe, flush, gathered, pack, unpack
from regraft.activations.store import ActivationStore, Recipe
from regraft.backbones.contract import Backbone, State, beside
from regraft.core import Sample

Progress = Callable[[int, int], None]
T = TypeVar("T")
Request = tuple[Sample, int | None]  # a sample and the seed of its augmented view, None = the plain view

BATCH = 32
TEXT_BATCH = 64
# A kill loses at most this much work; while a shard is written, it is in memory three times.
SHARD_BYTES = 16 << 20
MOST_VIEWS = 8
EPOCHS_PER_VIEW = 4
TRIES = 3  # to read what was stored before another process evicts it


@dataclass(frozen=True)
class Extraction:
    """What one call did.

    Attributes:
        samples: How many were asked for (views counted).
        computed: How many were not in the store.
        seconds: Wall time, decoding and storing included.
        stored_seconds: What those found in the store took when they were computed.
        engine: What ran the trunk; `store` if nothing had to run.
        relative_error: Of the engine against PyTorch, on the first batch.
    """

    samples: int
    computed: int
    seconds: float
    stored_seconds: float = 0.0
    engine: str = "store"
    relative_error: float = 0.0


@dataclass(frozen=True)
class BoundaryActivations:
    """Stored states at a boundary; a batch is read when it is asked for."""

    views: int
    extraction: Extraction
    recipe: "Recipe | MemoryRecipe"
    samples: tuple[Sample, ...]
    seeds: tuple[int | None, ...]

    def batch(self, indices: Sequence[int], view: int) -> State:
        """The state that leaves the boundary for the given samples, float32; texts padded to the longest."""
        seed = self.seeds[view % len(self.seeds)]
        return unpack(self.recipe, [sample_key(self.samples[index], seed) for index in indices])


def pooled_features(
    backbone: Backbone,
    samples: Sequence[Sample],
    store: ActivationStore | None,
    *,
    stages: Sequence[int] | None = None,
    views: Sequence[int] = (),
    device: str = "cpu",
    precision: str = "auto",
    progress: Progress | None = None,
) -> tuple[list[Floats], Extraction]:
    """Pooled features, all stages computed and stored in one pass.

    Args:
        backbone: The trunk, put in evaluation mode.
        samples: N samples.
        store: Where to look and keep; None = memory only.
        stages: Which stages to return; None = all.
        views: Seeds of augmented views; empty = the one plain view. Rows are view by view.
        device: `cpu` or an accelerator.
        precision: `auto`, `fp32`, `bf16` or `int8`.
        progress: Called with (done, total) of the samples to be computed.

    Returns:
        One float32 array per stage asked for, (N x views, D), in the order of the samples.
    """
    seeds: tuple[int | None, ...] = tuple(views) or (None,)
    requests = [(sample, seed) for seed in seeds for sample in samples]
    work = _Work(backbone, len(backbone.outline), "pooled", device, precision, store)
    wanted = range(len(backbone.outline)) if stages is None else stages
    keys = [sample_key(*request) for request in requests]
    return work.filled(requests, progress, lambda recipe: [gathered(recipe, keys, str(stage)) for stage in wanted])


def boundary_activations(  # noqa: PLR0913 - what a caller may say
    backbone: Backbone,
    samples: Sequence[Sample],
    frozen: int,
    store: ActivationStore | None,
    *,
    views: int = 0,
    seed: int = 0,
    device: str = "cpu",
    precision: str = "auto",
    progress: Progress | None = None,
) -> BoundaryActivations:
    """States that leave stage `frozen - 1`, stored as float16 where every value fits, else float32.

    Args:
        backbone: The trunk, put in evaluation mode.
        samples: N samples.
        frozen: How many leading stages are frozen; at least 1.
        store: Where to look and keep; None = memory only.
        views: Augmented views per sample; 0 = the one plain view.
        seed: Of the views.
        device: `cpu` or an accelerator.
        precision: `auto`, `fp32`, `bf16` or `int8`.
        progress: Called with (done, total).

    Raises:
        NoRoomError: They are more than the store has room for; nothing was computed.
    """
    seeds: tuple[int | None, ...] = tuple(seed * MOST_VIEWS + view for view in range(views)) or (None,)
    requests = [(sample, one) for one in seeds for sample in samples]
    work = _Work(backbone, frozen, "boundary", device, precision, store)
    keys = [sample_key(*request) for request in requests]

    def held(recipe: "Recipe | MemoryRecipe") -> "Recipe | MemoryRecipe":
        recipe.hold(keys)
        return recipe

    recipe, extraction = work.filled(requests, progress, held)
    return BoundaryActivations(len(seeds), extraction, recipe, tuple(samples), seeds)


def views_within(backbone: Backbone, frozen: int, sample: Sample, count: int, budget_bytes: int, epochs: int) -> int:
    """How many augmented views of `count` samples to store, from 1 to 8; texts have one.

    As many as fit in half of the budget, and no more than one for every four epochs: each costs a pass of the trunk.
    """
    if backbone.kind == "text":
        return 1
    view = count * _picture_bytes(backbone, frozen, sample)
    return max(1, min(MOST_VIEWS, -(-epochs // EPOCHS_PER_VIEW), budget_bytes // 2 // max(view, 1)))


def _picture_bytes(backbone: Backbone, frozen: int, sample: Sample) -> int:
    """Of one picture's state at a boundary, as float16."""
    with torch.inference_mode():
        state = backbone.run(beside(backbone, backbone.collate([backbone.preprocess(sample)])), 0, frozen)
    return 2 * state[0].numel()


def _boundary_bytes(backbone: Backbone, frozen: int, samples: Sequence[Sample]) -> int:
    """Of the states of all samples at a boundary, as float16; texts without padding."""
    if backbone.kind == "image":
        return len(samples) * _picture_bytes(backbone, frozen, samples[0])
    preprocess: Any = backbone.preprocess  # of a text trunk: it takes many samples at once
    tokens: int = sum(one.shape[1] for one in preprocess.many(samples))
    return 2 * tokens * backbone.outline.stages[frozen - 1].width


@dataclass(frozen=True)
class _Work:
    """One output of one prefix: what to compute, and where rows are kept."""

    backbone: Backbone
    frozen: int
    outputs: Outputs
    device: str
    precision: str
    store: ActivationStore | None

    def filled(
        self,
        requests: list[Request],
        progress: Progress | None,
        read: "Callable[[Recipe | MemoryRecipe], T]",
        tries: int = TRIES,
    ) -> tuple[T, Extraction]:
        """What `read` makes of the recipe that holds every request, and what filling it took.

        Another process may evict the recipe before it is read; then it is filled again.
        """
        begun = time.perf_counter()
        recipe, extraction = self._fill(requests, progress)
        try:
            found = read(recipe)
        except OSError:
            if tries == 1:
                raise
            found, extraction = self.filled(requests, progress, read, tries - 1)
        return found, replace(extraction, seconds=time.perf_counter() - begun)

    def _fill(self, requests: list[Request], progress: Progress | None) -> "tuple[Recipe | MemoryRecipe, Extraction]":
        """Compute what is missing and return the recipe that then holds every request."""
        weights = prefix_hash(self.backbone, self.frozen)
        key = recipe_key(self.backbone, weights, self.outputs, self._arithmetic)
        recipe: Recipe | MemoryRecipe = MemoryRecipe() if self.store is None else self.store.recipe(key)
        keys = [sample_key(*request) for request in requests]
        unique = {keys[position]: requests[position] for position in recipe.missing(keys)}
        stored = recipe.seconds(set(keys) - set(unique))
        extraction = Extraction(len(requests), len(unique), 0.0, stored)
        if unique:
            with _evaluating(self.backbone.module):
                if self.outputs == "boundary" and not isinstance(recipe, MemoryRecipe):  # memory has no budget
                    lacking = [sample for sample, _ in unique.values()]
                    recipe.require_room(_boundary_bytes(self.backbone, self.frozen, lacking), keys)
                engine = self._compute(list(unique.values()), recipe, weights, progress)
            extraction = replace(extraction, engine=engine.name, relative_error=engine.relative_error)
        return recipe, extraction

    @property
    def _arithmetic(self) -> str:
        return lowest_precision(self.precision, self.backbone.kind, self.device)

    def _compute(
        self, requests: list[Request], recipe: "Recipe | MemoryRecipe", weights: str, progress: Progress | None
    ) -> TrunkEngine:
        engine: TrunkEngine | None = None
        waiting: list[tuple[list[str], dict[str, Tensor]]] = []
        done = size = 0
        begun = time.perf_counter()
        for batch, prepared in self._batches(requests):
            inputs = engine_inputs(self.backbone, prepared)
            if engine is None:
                engine = compile_trunk(
                    self.backbone,
                    self.frozen,
                    self.outputs,
                    weights,
                    inputs,
                    len(requests),
                    device=self.device,
                    precision=self._arithmetic,
                )
            rows = pack(engine.run(inputs), inputs, self.outputs, self.backbone.kind)
            waiting.append(([sample_key(*request) for request in batch], rows))
            size += sum(tensor.nbytes for tensor in rows.values())
            done += len(batch)
            if size >= SHARD_BYTES:
                begun, size = flush(recipe, waiting, begun), 0
            if progress is not None:
                progress(done, len(requests))
        flush(recipe, waiting, begun)
        if engine is None:
            raise ValueError("nothing to compute")
        return engine

    def _batches(self, requests: list[Request]) -> Iterator[tuple[list[Request], list[Tensor]]]:
        """Preprocessed batches; pictures are decoded by threads, a bounded number of batches ahead."""
        if self.backbone.kind == "text":
            yield from self._text_batches(requests)
            return
        chunks = [requests[begin : begin + BATCH] for begin in range(0, len(requests), BATCH)]
        ahead: deque[tuple[list[Request], list[Future[Tensor]]]] = deque()
        with ThreadPoolExecutor(decoders()) as pool:
            for chunk in chunks:
                ahead.append((chunk, [pool.submit(self._prepared, request) for request in chunk]))
                if len(ahead) > 2:
                    batch, futures = ahead.popleft()
                    yield batch, [future.result() for future in futures]
            while ahead:
                batch, futures = ahead.popleft()
                yield batch, [future.result() for future in futures]

    def _text_batches(self, requests: list[Request]) -> Iterator[tuple[list[Request], list[Tensor]]]:
        """Texts of like length together, so that little is computed on padding."""
        preprocess: Any = self.backbone.preprocess  # of a text trunk: it takes many samples at once
        prepared: list[Tensor] = preprocess.many([sample for sample, _ in requests])
        order = sorted(range(len(requests)), key=lambda position: prepared[position].shape[1], reverse=True)
        for begin in range(0, len(order), TEXT_BATCH):
            rows = order[begin : begin + TEXT_BATCH]
            yield [requests[row] for row in rows], [prepared[row] for row in rows]

    def _prepared(self, request: Request) -> Tensor:
        sample, seed = request
        preprocess = self.backbone.preprocess
        return preprocess(sample) if seed is None else preprocess.augmented(sample, seed)


@contextmanager
def _evaluating(module: nn.Module) -> Iterator[None]:
    """The module in evaluation mode; each layer then goes back to its own: an epoch may be under way."""
    modes = [(one, one.training) for one in module.modules()]
    module.eval()
    try:
        yield
    finally:
        for one, training in modes:
            one.training = training
