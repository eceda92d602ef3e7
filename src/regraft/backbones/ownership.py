"""What a stage owns: each parameter of a trunk lies in exactly one stage."""

from collections.abc import Sequence

from torch import nn
from transformers.pytorch_utils import Conv1D

from regraft.core import BackboneError


def is_owned(key: str, modules: Sequence[str]) -> bool:
    """Whether the parameter `key` is one of `modules` or lies below one."""
    return any(key == prefix or key.startswith(prefix + ".") for prefix in modules)


def is_dense(module: nn.Module) -> bool:
    """Whether a layer multiplies by one matrix: an adapter can stand beside it.

    GPT-2's `Conv1D` is a dense layer with its matrix transposed. A convolution of groups has too few weights to be
    worth an adapter.
    """
    if isinstance(module, nn.Conv2d):
        return module.groups == 1
    return isinstance(module, (nn.Linear, Conv1D))


def has_dense(module: nn.Module, modules: Sequence[str]) -> bool:
    """Whether a dense layer is one of `modules` or lies below one."""
    return any(is_dense(layer) and is_owned(name, modules) for name, layer in module.named_modules())


def stage_sizes(name: str, module: nn.Module, stages: Sequence[tuple[str, ...]]) -> list[int]:
    """How many elements each stage's parameters have.

    Args:
        name: Of the network, for messages.
        module: The trunk without its head.
        stages: The modules and loose parameters that each stage owns.

    Raises:
        BackboneError: A parameter lies in no stage, or in several.
    """
    sizes = [0] * len(stages)
    for key, parameter in module.named_parameters():
        owners = [number for number, modules in enumerate(stages) if is_owned(key, modules)]
        if len(owners) != 1:
            where = f"{len(owners)} stages" if owners else "no stage"
            raise BackboneError(
                f"{name}: parameter {key} lies in {where} of the {len(stages)} that its family is cut into; "
                "use another network and report this one"
            )
        sizes[owners[0]] += parameter.numel()
    return sizes
