"""A frozen prefix as an OpenVINO request."""

import uuid
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import openvino
import torch
from torch import Tensor, nn


def openvino_request(
    prefix: nn.Module, first: tuple[Tensor, ...], file: Path, precision: Literal["f32", "bf16"]
) -> Callable[[tuple[Tensor, ...]], list[Tensor]]:
    """A function from a batch to float32 outputs; the converted network is kept in `file`."""
    core = openvino.Core()
    if not file.exists():
        _convert(prefix, first, file)
    compiled = core.compile_model(
        core.read_model(file),
        "CPU",
        {
            "INFERENCE_PRECISION_HINT": precision,
            "PERFORMANCE_HINT": "LATENCY",  # one batch at a time over all cores: pictures are decoded in between
            "INFERENCE_NUM_THREADS": torch.get_num_threads(),
        },
    )
    request = compiled.create_infer_request()

    def run(inputs: tuple[Tensor, ...]) -> list[Tensor]:
        results = request.infer([one.numpy() for one in inputs], share_inputs=True)
        return [torch.from_numpy(results[output].copy()) for output in compiled.outputs]

    return run


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
