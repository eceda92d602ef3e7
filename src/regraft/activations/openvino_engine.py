"""A frozen prefix as an OpenVINO request."""

import uuid
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numpy as np
import openvino
import torch
from openvino import opset13
from torch import Tensor, nn

from regraft.activations.processor import has_bf16

GROUP = 128  # inputs that share a scale: half as many cost a tenth more time for a third less error


def openvino_request(
    prefix: nn.Module, first: tuple[Tensor, ...], file: Path, precision: Literal["f32", "bf16", "int8"]
) -> Callable[[tuple[Tensor, ...]], list[Tensor]]:
    """A function from a batch to float32 outputs; the converted network is kept in `file`."""
    core = openvino.Core()
    if not file.exists():
        _convert(prefix, first, file)
    network = core.read_model(file)
    settings: dict[str, Any] = {
        "INFERENCE_PRECISION_HINT": precision,
        "PERFORMANCE_HINT": "LATENCY",  # one batch at a time over all cores: pictures are decoded in between
        "INFERENCE_NUM_THREADS": torch.get_num_threads(),
    }
    if precision == "int8":
        _quantise_weights(network)
        # Of what is not multiplied in integers; bf16 is the faster where the processor has it.
        rest = "bf16" if has_bf16() else "f32"
        settings |= {"INFERENCE_PRECISION_HINT": rest, "DYNAMIC_QUANTIZATION_GROUP_SIZE": GROUP}
    compiled = core.compile_model(network, "CPU", settings)

    def run(inputs: tuple[Tensor, ...]) -> list[Tensor]:
        request = compiled.create_infer_request()  # its own, so that threads may share an engine
        results = request.infer([one.numpy() for one in inputs], share_inputs=True)
        return [torch.from_numpy(results[output].copy()) for output in compiled.outputs]

    return run


def _quantise_weights(network: Any) -> None:
    """Dense layers' weights as 8-bit integers with a scale per output; inputs are quantised as they come.

    The runtime recognises integer weights that are converted and scaled, and multiplies integers
    (Dettmers 2022, section 2.1: absolute-maximum quantisation, vector-wise).
    """
    for node in network.get_ops():
        if node.get_type_name() != "MatMul":
            continue
        source = node.input_value(1).get_node()
        if source.get_type_name() != "Constant":
            continue
        weights = np.asarray(source.data, dtype=np.float32)
        rows = 1 if node.get_attributes()["transpose_b"] else 0
        scale = np.maximum(np.abs(weights).max(axis=rows, keepdims=True) / 127, np.finfo(np.float32).tiny)
        integers = opset13.constant(np.round(weights / scale).astype(np.int8))
        scaled = opset13.multiply(opset13.convert(integers, "f32"), opset13.constant(scale))
        node.input(1).replace_source_output(scaled.output(0))


def _convert(prefix: nn.Module, first: tuple[Tensor, ...], file: Path) -> None:
    """Trace the prefix and write it next to its weights, the `.xml` last: it makes the pair complete."""
    dynamic: list[Any] = []
    for one in first:
        free = [-1, -1] if one.ndim == 2 else [-1, *one.shape[1:]]  # texts also vary in length
        dynamic.append(openvino.PartialShape(free))
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the tracer warns of constants that are constant here
        model = openvino.convert_model(prefix, example_input=tuple(one[:2] for one in first), input=dynamic)
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f"{uuid.uuid4().hex}.xml")
    openvino.save_model(model, draft, compress_to_fp16=False)
    draft.with_suffix(".bin").replace(file.with_suffix(".bin"))
    draft.replace(file)
