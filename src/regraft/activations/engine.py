"""What is frozen runs in inference form: OpenVINO, ONNX Runtime or PyTorch, whichever is fast and equal."""

import contextlib
import hashlib
import os
import warnings
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn

from regraft.activations.converted import mark_used
from regraft.activations.onnx_engine import onnx_session
from regraft.activations.openvino_engine import openvino_request
from regraft.activations.processor import has_amx, has_bf16, has_vnni
from regraft.backbones.contract import Backbone, features
from regraft.core.places import default_cache_dir

Outputs = Literal["pooled", "boundary"]
Inputs = tuple[Tensor, ...]

# Converting a trunk takes seconds; below these counts plain PyTorch is done sooner. An already converted trunk is used from
# the first full batch on.
BREAK_EVEN = {"image": 200, "text": 400}

FP32_ERROR = 1e-4  # largest relative error of an engine that calls itself equal
SMALLEST_COSINE = {"bf16": 0.99, "int8": 0.995}  # of centred features, against PyTorch in float32
GUARDED = 16  # samples on which an engine is compared with PyTorch: enough to see a fault, quick
KEPT_ENGINES = 4  # compiled trunks kept in this process

# None: no other engine takes this trunk. PyTorch's own is never kept: it holds a network that may be trained meanwhile.
_engines: OrderedDict[tuple[str, str], "TrunkEngine | None"] = OrderedDict()


@dataclass(frozen=True)
class TrunkEngine:
    """A frozen prefix ready to run.

    Attributes:
        name: Such as `openvino-bf16`.
        run: A batch of inputs to float32 outputs on the CPU.
        relative_error: Largest, over outputs, of max |engine - PyTorch| / max |PyTorch| on the user's samples.
        cosine: Smallest cosine of centred last outputs on the same samples.
    """

    name: str
    run: Callable[[Inputs], list[Tensor]] = field(repr=False)
    relative_error: float = 0.0
    cosine: float = 1.0


class Prefix(nn.Module):
    """The first `frozen` stages as one module, from preprocessed inputs to the wanted outputs.

    Pictures enter as uint8 and are normalised inside, so that a quarter of the bytes cross over.
    """

    def __init__(self, backbone: Backbone, frozen: int, outputs: Outputs) -> None:
        super().__init__()
        self.trunk = backbone.module
        self._backbone = backbone
        self._frozen = frozen
        self._outputs = outputs

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """Pooled features of every stage, or the first tensor of the state that leaves the prefix."""
        state: tuple[Tensor, ...] = inputs
        if self._backbone.kind == "image":
            normalise: Any = self._backbone.preprocess
            state = (normalise.normalise(inputs[0]),)
        if self._outputs == "boundary":
            return (self._backbone.run(state, 0, self._frozen)[0],)
        return tuple(features(self._backbone, state))


def engine_inputs(backbone: Backbone, samples: Sequence[Tensor]) -> Inputs:
    """Preprocessed samples as one batch for an engine: uint8 pictures, or ids, mask and types."""
    return (torch.stack(list(samples)),) if backbone.kind == "image" else backbone.collate(samples)


def compile_trunk(
    backbone: Backbone,
    frozen: int,
    outputs: Outputs,
    key: str,
    first: Inputs,
    count: int,
    *,
    device: str = "cpu",
    precision: str = "auto",
) -> TrunkEngine:
    """The fastest engine whose output on the user's own samples is equal enough.

    Args:
        backbone: The trunk; it must be in evaluation mode.
        frozen: How many leading stages to run.
        outputs: `pooled` features of every stage, or the state at the `boundary`.
        key: Content hash of the prefix: names the converted file.
        first: The first batch, on which engines are compared with PyTorch.
        count: How many samples are to come.
        device: `cpu` or a PyTorch accelerator.
        precision: As `lowest_precision` returns it.
    """
    prefix = Prefix(backbone, frozen, outputs).eval()
    if device != "cpu":
        name = f"torch-{device}" + ("" if precision == "fp32" else "-bf16")
        return TrunkEngine(name, _torch_run(prefix, device, precision))
    plain = TrunkEngine("torch-fp32", _torch_run(prefix, "cpu", "fp32"))
    file = default_cache_dir() / "engines" / f"{_engine_name(backbone, key, outputs, frozen)}.xml"
    if (str(file), precision) in _engines:
        _engines.move_to_end((str(file), precision))
        return _engines[str(file), precision] or plain
    if count < BREAK_EVEN[backbone.kind] and not file.exists():
        return plain
    engine = _engines[str(file), precision] = _fastest_equal(prefix, first, file, precision)
    if len(_engines) > KEPT_ENGINES:
        _engines.popitem(last=False)
    return engine or plain


def _engine_name(backbone: Backbone, key: str, outputs: str, frozen: int) -> str:
    """What a converted trunk is found by; a vision trunk's holds for one size and normalisation of pictures."""
    reads = backbone.preprocess.fingerprint if backbone.kind == "image" else ""
    return hashlib.sha256(f"{key}/{outputs}/{frozen}/{reads}".encode()).hexdigest()


def _fastest_equal(prefix: Prefix, first: Inputs, file: Path, precision: str) -> TrunkEngine | None:
    """The first candidate whose output on some of the first samples is that of PyTorch."""
    step = max(len(first[0]) // GUARDED, 1)
    some = tuple(one[::step].contiguous() for one in first)
    reference = _torch_run(prefix, "cpu", "fp32")(some)
    for name, make in _candidates(prefix, first, file, precision):
        try:
            run = make()
            error, cosine = compared(reference, run(some))
        except Exception as problem:  # noqa: BLE001 - whatever another runtime refuses, PyTorch still runs
            warnings.warn(f"{name} cannot run this trunk ({str(problem).splitlines()[0][:200]})", stacklevel=2)
            continue
        low = name.rpartition("-")[2]
        good = cosine >= SMALLEST_COSINE[low] if low in SMALLEST_COSINE else error < FP32_ERROR
        if good:
            mark_used(file)
            return TrunkEngine(name, run, error, cosine)
    return None


def lowest_precision(precision: str, reads: str, device: str) -> Literal["fp32", "bf16", "int8"]:
    """The arithmetic to try first; the guard goes back to a higher one where features would differ.

    Args:
        precision: What the user asked for; `auto` = int8 for texts and bf16 for pictures where this
            processor has instructions for them, bf16 on accelerators.
        reads: `image` or `text`.
        device: `cpu` or an accelerator.
    """
    if device != "cpu":
        return "fp32" if precision == "fp32" else "bf16"
    if precision == "int8" or (precision == "auto" and reads == "text" and has_vnni()):
        return "int8"
    if precision == "bf16" or (precision == "auto" and has_bf16()):
        return "bf16"
    return "fp32"


def _candidates(
    prefix: Prefix, first: Inputs, file: Path, precision: str
) -> Iterator[tuple[str, Callable[[], Callable[[Inputs], list[Tensor]]]]]:
    """Engines to try, the fastest first."""
    if precision == "int8":
        yield "openvino-int8", lambda: openvino_request(prefix, first, file, "int8")
    if precision == "bf16" or (precision == "int8" and has_bf16()):
        yield "openvino-bf16", lambda: openvino_request(prefix, first, file, "bf16")
    yield "openvino-fp32", lambda: openvino_request(prefix, first, file, "f32")
    yield "onnxruntime-fp32", lambda: onnx_session(prefix, first, file.with_suffix(".onnx"))


def compared(reference: list[Tensor], outputs: list[Tensor]) -> tuple[float, float]:
    """Largest relative error over outputs, and smallest cosine of the centred last output."""
    error = max(
        float((ours - theirs).abs().max() / theirs.abs().max().clamp(min=1e-12))
        for theirs, ours in zip(reference, outputs, strict=True)
    )
    theirs, ours = reference[-1].flatten(1), outputs[-1].flatten(1)
    centre = theirs.mean(dim=0) if len(theirs) > 1 else torch.zeros(())
    cosine = float(nn.functional.cosine_similarity(theirs - centre, ours - centre, dim=1).min())
    return error, cosine


def _torch_run(prefix: Prefix, device: str, precision: str) -> Callable[[Inputs], list[Tensor]]:
    prefix.to(device)
    low = device != "cpu" and precision != "fp32"

    def run(inputs: Inputs) -> list[Tensor]:
        moved = tuple(one.to(device) for one in inputs)
        with (
            torch.inference_mode(),
            fast_matmul(),
            torch.autocast(device.split(":", maxsplit=1)[0], torch.bfloat16, enabled=low),
        ):
            return [one.float().cpu() for one in prefix(*moved)]

    return run


@contextmanager
def fast_matmul() -> Iterator[None]:
    """Let float32 matrix products take oneDNN's path while inside.

    On processors without AMX the arithmetic stays float32 and is about twice as fast on AMD, where the
    default library avoids AVX-512; with AMX it would round to bf16, so it is left alone there. On CUDA see
    `full_float32`.
    """
    slow = not has_bf16() or has_amx() or os.environ.get("REGRAFT_PLAIN_MATMUL")
    backends: Any = torch.backends  # their settings are made at run time, which type checkers cannot see
    with full_float32(), contextlib.nullcontext() if slow else _at_precision("bf16", backends.mkldnn.matmul):
        yield


@contextmanager
def full_float32() -> Iterator[None]:
    """Keep CUDA's float32 whole while inside: by default its convolutions round what they multiply to TF32's 10 bits.

    Matrix products do not, and are left as they are: PyTorch refuses them where their older and newer settings differ.
    """
    backends: Any = torch.backends
    with _at_precision("ieee", backends.cudnn.conv, backends.cudnn.rnn):
        yield


@contextmanager
def _at_precision(name: str, *operations: Any) -> Iterator[None]:
    """How these operations compute float32 while inside, as PyTorch names it."""
    before = [one.fp32_precision for one in operations]
    try:
        for one in operations:
            one.fp32_precision = name
        yield
    finally:
        for one, precision in zip(operations, before, strict=True):
            one.fp32_precision = precision
