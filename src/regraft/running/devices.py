"""Where a run computes."""

import torch
from accelerate import PartialState

from regraft.activations.processor import has_bf16
from regraft.backbones.contract import Backbone
from regraft.core import ATTENTION_FAMILIES, OptionError

KINDS = ("cpu", "cuda", "mps", "xpu")


def resolve_device(name: str) -> str:
    """A device that is there: `auto` is what accelerate chooses.

    Raises:
        OptionError: The device is unknown or absent.
    """
    if name == "auto":
        return "cpu" if not torch.accelerator.is_available() else str(PartialState().device)
    if name.split(":", maxsplit=1)[0] not in KINDS:
        raise OptionError(f"--device {name}: unknown; use auto, {', '.join(KINDS)}")
    try:
        device = torch.device(name)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise OptionError(f"--device {name}: not there; use auto or cpu") from error
    return "cpu" if device.type == "cpu" else name  # there is one; `cpu:0` is not told from an accelerator elsewhere


def trains_in_bf16(device: str, precision: str, *, convolutional: bool = False) -> bool:
    """Whether the trained stages compute in bf16: where the machine has it and gains by it, unless fp32 is asked for.

    Convolutions on a processor are trained in float32: going back through them is slower in bf16.
    """
    if precision == "fp32":
        return False
    return precision == "bf16" or device != "cpu" or (has_bf16() and not convolutional)


def tunes_in_bf16(backbone: Backbone, device: str, precision: str) -> bool:
    """`trains_in_bf16` for this trunk."""
    convolutional = backbone.kind == "image" and backbone.outline.family not in ATTENTION_FAMILIES
    return trains_in_bf16(device, precision, convolutional=convolutional)
