"""What a trunk and a head compute stays on the device where they are; PyTorch's fake tensors stand for a GPU's."""

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode

from regraft.activations.engine import Prefix
from regraft.backbones import load_backbone
from regraft.backbones.contract import beside
from regraft.core import TaskKind
from regraft.core.plan import HeadKind
from regraft.heads import build_head

TRUNKS = ("bundled:resnet-small", "bundled:minilm", "scratch:vit_tiny_patch16_224", "scratch:convnext_atto")


def _on_a_gpu(module: torch.nn.Module) -> None:
    """Give a module fake weights on `cuda`."""
    for part in module.modules():
        for tensors in (part._parameters, part._buffers):
            for name, one in tensors.items():
                if one is not None:
                    fake = torch.empty(one.shape, dtype=one.dtype, device="cuda")
                    tensors[name] = torch.nn.Parameter(fake, False) if isinstance(one, torch.nn.Parameter) else fake


@pytest.mark.parametrize("name", TRUNKS)
def test_a_prefix_on_a_gpu_computes_there(name: str) -> None:
    backbone = load_backbone(name, offline=True)
    with FakeTensorMode(allow_non_fake_inputs=True):
        _on_a_gpu(backbone.module)
        if backbone.kind == "image":
            inputs = (torch.zeros(2, 3, 64, 64, dtype=torch.uint8),)
        else:
            inputs = tuple(torch.zeros(2, 7, dtype=torch.long) for _ in range(3))
        if name.startswith("scratch:vit"):
            inputs = (torch.zeros(2, 3, 224, 224, dtype=torch.uint8),)
        found = Prefix(backbone, len(backbone.outline), "pooled")(*beside(backbone, inputs))
        assert {str(one.device) for one in found} == {"cuda:0"}


HEADS: tuple[tuple[HeadKind, TaskKind], ...] = (
    ("linear", "image-classification"),
    ("mlp", "text-classification"),
    ("linear", "text-regression"),
)


@pytest.mark.parametrize(("kind", "task"), HEADS)
def test_a_head_on_a_gpu_has_its_loss_there(kind: HeadKind, task: TaskKind) -> None:
    head = build_head(kind, 8, 3, 0, task=task)
    with FakeTensorMode(allow_non_fake_inputs=True):
        _on_a_gpu(head)
        said = head(torch.zeros(4, 8, device="cuda"))
        assert str(head.loss(said, torch.zeros(4, dtype=torch.long, device="cuda"), 0.1).device) == "cuda:0"


@pytest.mark.parametrize(("kind", "task"), [("token", "token-classification"), ("span", "question-answering")])
def test_a_head_on_tokens_too(kind: HeadKind, task: TaskKind) -> None:
    head = build_head(kind, 8, 3, 0, task=task)
    with FakeTensorMode(allow_non_fake_inputs=True):
        _on_a_gpu(head)
        said = head(torch.zeros(4, 6, 8, device="cuda"), torch.ones(4, 6, dtype=torch.long, device="cuda"))
        wanted = torch.zeros(4, 6 if kind == "token" else 2, dtype=torch.long, device="cuda")
        assert str(head.loss(said, wanted, 0.1).device) == "cuda:0"
