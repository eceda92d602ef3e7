"""Stages of timm's families: a chain that equals the network, with every parameter in one stage."""

import pytest
import timm
import torch
from torch import nn

from regraft.backbones.contract import features, stage_parameters
from regraft.backbones.timm_source import build_timm
from regraft.backbones.vision import VisionStage, VisionStages, vision_outline
from regraft.core import BackboneError, Passport

# Name, family, stages, and a side in pixels that the network takes (0: its own).
NETWORKS = (
    ("resnet18", "resnet", 5, 64),
    ("resnetv2_50", "resnetv2", 5, 64),
    ("vgg11", "vgg", 6, 0),
    ("vgg16_bn", "vgg", 6, 0),
    ("mobilenetv1_100", "efficientnet", 6, 64),
    ("mobilenetv2_100", "efficientnet", 9, 64),
    ("mobilenetv3_small_100", "mobilenetv3", 7, 64),
    ("efficientnet_b0", "efficientnet", 9, 64),
    ("convnext_atto", "convnext", 5, 64),
    ("convnextv2_atto", "convnext", 5, 64),
    ("vit_tiny_patch16_224", "vit", 13, 0),
    ("deit_tiny_patch16_224", "vit", 13, 0),
    ("deit3_small_patch16_224", "vit", 13, 0),
    ("beit_base_patch16_224", "other", 1, 0),
    ("eva02_tiny_patch14_224", "other", 1, 0),
    ("swin_tiny_patch4_window7_224", "swin", 5, 0),
    ("densenet121", "densenet", 5, 64),
    ("densenet264d", "densenet", 5, 64),
    ("regnetx_002", "regnet", 5, 64),
    ("regnetz_005", "regnet", 5, 64),
    ("ghostnet_100", "other", 1, 64),
    ("inception_v3", "other", 1, 299),
    ("levit_128s", "other", 1, 0),
    ("maxvit_tiny_tf_224", "maxvit", 5, 0),
)


@pytest.mark.parametrize(("name", "family", "stages", "side"), NETWORKS, ids=[row[0] for row in NETWORKS])
def test_the_chain_of_stages_is_the_network(name: str, family: str, stages: int, side: int) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        backbone = build_timm(timm.create_model(name), name, {}, Passport(name, f"scratch:{name}"))
        pictures = torch.randn(1, 3, *((side, side) if side else backbone.preprocess.size))
    module, outline = backbone.module, backbone.outline
    assert (outline.family, len(outline)) == (family, stages)
    owned = [key for stage in range(stages) for key in stage_parameters(backbone, stage)]
    assert sorted(owned) == sorted(key for key, _ in module.named_parameters())
    with torch.inference_mode():
        (ours,) = backbone.run((pictures,), 0, stages)
        theirs = module.forward_features(pictures)
        assert torch.equal(ours, theirs)
        pooled = features(backbone, (pictures,))
    assert [one.shape for one in pooled] == [(1, stage.width) for stage in outline]
    assert all(stage.parameters for stage in outline)


def test_swins_channels_are_last() -> None:
    name = "swin_tiny_patch4_window7_224"
    outline = build_timm(timm.create_model(name), name, {}, Passport(name, name)).outline
    assert [stage.width for stage in outline] == [96, 96, 192, 384, 768]


def outline_of(*owned: tuple[str, ...]) -> None:
    """The outline of two convolutions as stages that own what is given."""
    module = nn.Sequential(nn.Conv2d(3, 4, 1), nn.Conv2d(4, 4, 1))
    stages = tuple(VisionStage(f"s{i}", names, module[i]) for i, names in enumerate(owned))
    vision_outline("net", "none", module, VisionStages(stages, lambda values: values.mean((2, 3))), (8, 8))


def test_a_parameter_in_no_stage_is_an_error() -> None:
    with pytest.raises(BackboneError, match=r"net: parameter 1\.bias.* in no stage"):
        outline_of(("0",), ("1.weight",))


def test_a_parameter_in_two_stages_is_an_error() -> None:
    with pytest.raises(BackboneError, match=r"net: parameter 0\.bias.* in 2 stages"):
        outline_of(("0",), ("1", "0.bias"))
