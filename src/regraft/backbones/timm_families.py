"""How the stages of each timm family follow one another, after the model's own `forward_features`.

A new family is one function and one line in `FAMILIES`.
"""

from collections.abc import Callable
from typing import Any

import torch
from timm.models import ConvNeXt, EfficientNet, MobileNetV3, ResNet, VisionTransformer
from timm.models.densenet import DenseNet
from timm.models.maxxvit import MaxxVit
from timm.models.regnet import RegNet
from timm.models.resnetv2 import ResNetV2
from timm.models.swin_transformer import SwinTransformer
from timm.models.vgg import VGG
from torch import Tensor, nn

from regraft.backbones.vision import VisionStage, VisionStages

Parts = list[tuple[str, tuple[str, ...], Callable[[Tensor], Tensor]]]


def _chain(*modules: nn.Module) -> Callable[[Tensor], Tensor]:
    """The modules one after the other."""

    def run(values: Tensor) -> Tensor:
        for module in modules:
            values = module(values)
        return values

    return run


def _resnet(model: Any) -> Parts:
    stem = ("conv1", "bn1", "act1", "maxpool")
    layers = [f"layer{number}" for number in (1, 2, 3, 4)]
    return [
        ("stem", stem, _chain(*(getattr(model, name) for name in stem))),
        *((name, (name,), getattr(model, name)) for name in layers),
    ]


def _vgg(model: Any) -> Parts:
    """`features` cut after each pooling, then the convolutions that were fully connected layers."""
    parts: Parts = []
    begin = 0
    for number, layer in enumerate(model.features):
        if isinstance(layer, nn.MaxPool2d):
            names = tuple(f"features.{i}" for i in range(begin, number + 1))
            parts.append((f"features.{begin}", names, _chain(*model.features[begin : number + 1])))
            begin = number + 1
    # They run inside `forward_head`, so that this stage's own step is empty and its pooling does the work.
    return [*parts, ("pre_logits", ("pre_logits",), nn.Identity())]


def _efficientnet(model: Any) -> Parts:
    """EfficientNet, MobileNetV1 and MobileNetV2: the last convolution, where there is one, comes before pooling."""
    parts: Parts = [
        ("stem", ("conv_stem", "bn1"), _chain(model.conv_stem, model.bn1)),
        *((f"blocks.{i}", (f"blocks.{i}",), block) for i, block in enumerate(model.blocks)),
    ]
    if any(True for _ in model.conv_head.parameters()):
        return [*parts, ("conv_head", ("conv_head", "bn2"), _chain(model.conv_head, model.bn2))]
    return parts


def _mobilenetv3(model: Any) -> Parts:
    """The last convolution comes after pooling: it belongs to the last stage, and pooling runs it."""
    blocks = [(f"blocks.{i}", block) for i, block in enumerate(model.blocks)]
    *early, (name, last) = blocks
    return [
        ("stem", ("conv_stem", "bn1"), _chain(model.conv_stem, model.bn1)),
        *((name, (name,), block) for name, block in early),
        (name, (name, "conv_head", "norm_head"), last),
    ]


def _convnext(model: Any) -> Parts:
    *early, last = [(f"stages.{i}", stage) for i, stage in enumerate(model.stages)]
    return [
        ("stem", ("stem",), model.stem),
        *((name, (name,), stage) for name, stage in early),
        (last[0], (last[0], "norm_pre", "head"), _chain(last[1], model.norm_pre)),
    ]


def _vision_transformer(model: Any) -> Parts:
    loose = [name for name, _ in model.named_parameters(recurse=False)]

    def embed(values: Tensor) -> Tensor:
        tokens: Tensor = model.norm_pre(model.patch_drop(model._pos_embed(model.patch_embed(values))))
        return tokens

    *early, last = [(f"blocks.{i}", block) for i, block in enumerate(model.blocks)]
    tail = tuple(name for name in ("norm", "fc_norm", "attn_pool", "head_drop") if hasattr(model, name))
    return [
        ("patch_embed", ("patch_embed", "norm_pre", *loose), embed),
        *((name, (name,), block) for name, block in early),
        (last[0], (last[0], *tail), _chain(last[1], model.norm)),
    ]


def _line(model: Any, *names: str, tail: str) -> Parts:
    """Submodules in a row; the norm or convolution after them, and the head's own, belong to the last."""
    *early, last = [(name, model.get_submodule(name)) for name in names]
    return [
        *((name, (name,), module) for name, module in early),
        (last[0], (last[0], tail, "head"), _chain(last[1], model.get_submodule(tail))),
    ]


def _numbered(model: Any, body: str) -> list[str]:
    """The names of a submodule's children."""
    return [f"{body}.{name}" for name, _ in model.get_submodule(body).named_children()]


def _stem_stages(model: Any) -> Parts:
    """ResNetV2, BiT, CoAtNet and MaxViT."""
    return _line(model, "stem", *_numbered(model, "stages"), tail="norm")


def _regnet(model: Any) -> Parts:
    return _line(model, "stem", "s1", "s2", "s3", "s4", tail="final_conv")


def _swin(model: Any) -> Parts:
    return _line(model, "patch_embed", *_numbered(model, "layers"), tail="norm")


def _densenet(model: Any) -> Parts:
    """`features` cut before each dense block; the transition or norm after a block belongs to it."""
    cuts: list[list[tuple[str, nn.Module]]] = [[]]
    for name, layer in model.features.named_children():
        if name.startswith("denseblock"):
            cuts.append([])
        cuts[-1].append((f"features.{name}", layer))
    names = ["stem", *(cut[0][0] for cut in cuts[1:])]
    return [
        (name, tuple(key for key, _ in cut), _chain(*(layer for _, layer in cut)))
        for name, cut in zip(names, cuts, strict=True)
    ]


def _whole(model: Any) -> Parts:
    """Any other timm network: one stage, so that extraction and whole-model tuning still work."""
    loose = [name for name, _ in model.named_parameters(recurse=False)]
    return [("trunk", (*(name for name, _ in model.named_children()), *loose), model.forward_features)]


# MobileNetV3 stands before EfficientNet since some of its networks look like one.
FAMILIES: tuple[tuple[str, type[nn.Module], Callable[[Any], Parts]], ...] = (
    ("resnet", ResNet, _resnet),
    ("vgg", VGG, _vgg),
    ("mobilenetv3", MobileNetV3, _mobilenetv3),
    ("efficientnet", EfficientNet, _efficientnet),
    ("convnext", ConvNeXt, _convnext),
    ("vit", VisionTransformer, _vision_transformer),
    ("swin", SwinTransformer, _swin),
    ("densenet", DenseNet, _densenet),
    ("regnet", RegNet, _regnet),
    ("resnetv2", ResNetV2, _stem_stages),
    ("maxvit", MaxxVit, _stem_stages),
)


def timm_stages(model: Any) -> tuple[str, VisionStages]:
    """The family of a timm network without its classifier, and its stages.

    The submodules of `head` that have parameters belong to the last stage, whose pooling runs them.
    """
    family, parts = next(
        ((name, split(model)) for name, kind, split in FAMILIES if isinstance(model, kind)), ("other", _whole(model))
    )

    def pool_last(values: Tensor) -> Tensor:
        pooled = model.forward_head(values, pre_logits=True)
        return torch.flatten(pooled, 1) if isinstance(pooled, Tensor) else pooled[0]

    stages = tuple(VisionStage(*part) for part in parts)
    prefix = int(getattr(model, "num_prefix_tokens", 0))
    channels_last = getattr(model, "output_fmt", "NCHW") == "NHWC"
    return family, VisionStages(stages, pool_last, prefix, channels_last)
