"""A frozen prefix as an ONNX Runtime session: the second choice, where OpenVINO cannot convert."""

import uuid
from collections.abc import Callable
from pathlib import Path

import onnxruntime
import torch
from torch import Tensor, nn


def onnx_session(
    prefix: nn.Module, first: tuple[Tensor, ...], file: Path
) -> Callable[[tuple[Tensor, ...]], list[Tensor]]:
    """A function from a batch to float32 outputs; the exported network is kept in `file`."""
    if not file.exists():
        _export(prefix, first, file)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    names = [one.name for one in session.get_inputs()]

    def run(inputs: tuple[Tensor, ...]) -> list[Tensor]:
        feed = {name: one.numpy() for name, one in zip(names, inputs, strict=True)}
        return [torch.from_numpy(one) for one in session.run(None, feed)]

    return run


def _export(prefix: nn.Module, first: tuple[Tensor, ...], file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f"{uuid.uuid4().hex}.onnx")
    free = tuple({0: "batch", 1: "length"} if one.ndim == 2 else {0: "batch"} for one in first)
    torch.onnx.export(
        prefix,
        tuple(one[:2] for one in first),
        str(draft),
        input_names=[f"input{number}" for number in range(len(first))],
        dynamic_axes={f"input{number}": axes for number, axes in enumerate(free)},
        dynamo=False,
        external_data=False,
    )
    draft.replace(file)
