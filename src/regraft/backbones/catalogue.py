"""Backbones that are usual choices, with what is known of them without loading any."""

import os
from dataclasses import dataclass
from pathlib import Path

from regraft.backbones.bundled import BUNDLED


@dataclass(frozen=True)
class BackboneEntry:
    """One row of `regraft backbones`; `parameters` and `stages` are of the trunk without its head."""

    name: str
    kind: str
    parameters: int
    stages: int
    license: str
    source: str
    available: bool


IMAGENET = "ImageNet-1k"

# Name, hub repository, reads, trunk parameters, stages, licence, pre-trained on. Parameters and stages are
# checked by tests/backbones/test_loading.py against the networks; the licence is the checkpoint's own.
CATALOGUE: tuple[tuple[str, str, str, int, int, str, str], ...] = (
    ("resnet18", "timm/resnet18.a1_in1k", "image", 11_176_512, 5, "apache-2.0", IMAGENET),
    ("resnet50", "timm/resnet50.a1_in1k", "image", 23_508_032, 5, "apache-2.0", IMAGENET),
    ("vgg16", "timm/vgg16.tv_in1k", "image", 134_260_544, 6, "bsd-3-clause", IMAGENET),
    ("mobilenetv2_100", "timm/mobilenetv2_100.ra_in1k", "image", 2_223_872, 9, "apache-2.0", IMAGENET),
    ("mobilenetv3_large_100", "timm/mobilenetv3_large_100.ra_in1k", "image", 4_202_032, 8, "apache-2.0", IMAGENET),
    ("efficientnet_b0", "timm/efficientnet_b0.ra_in1k", "image", 4_007_548, 9, "apache-2.0", IMAGENET),
    ("convnext_tiny", "timm/convnext_tiny.in12k_ft_in1k", "image", 27_820_128, 5, "apache-2.0", "ImageNet-12k, ImageNet-1k"),
    ("vit_small_patch16_224", "timm/vit_small_patch16_224.augreg_in21k_ft_in1k", "image", 21_665_664, 13, "apache-2.0", "ImageNet-21k, ImageNet-1k"),
    ("bert-base-uncased", "bert-base-uncased", "text", 108_891_648, 13, "apache-2.0", "BooksCorpus, Wikipedia"),
    ("distilbert-base-uncased", "distilbert-base-uncased", "text", 66_362_880, 7, "apache-2.0", "BooksCorpus, Wikipedia"),
    ("roberta-base", "roberta-base", "text", 124_055_040, 13, "mit", "160 GB of English text"),
    ("gpt2", "gpt2", "text", 124_439_808, 13, "mit", "WebText"),
)  # fmt: skip


def list_backbones(*, kind: str | None = None, available: bool = False) -> list[BackboneEntry]:
    """Usual backbones, the embedded ones first; nothing is loaded and no connection opened.

    Args:
        kind: Only `image` or only `text`.
        available: Only those whose weights are on this machine.
    """
    bundled = [
        BackboneEntry(
            f"bundled:{one.name}",
            one.kind,
            one.parameters,
            one.stages,
            one.passport.license,
            one.passport.source_data.partition(" (")[0],
            one.folder() is not None,
        )
        for one in BUNDLED
    ]
    entries = bundled + [
        BackboneEntry(name, reads, parameters, stages, licence, source, _cached(repository))
        for name, repository, reads, parameters, stages, licence, source in CATALOGUE
    ]
    return [entry for entry in entries if kind in {None, entry.kind} and (entry.available or not available)]


def _cached(repository: str) -> bool:
    """Whether the hub's cache holds a safetensors file of the repository."""
    home = os.environ.get("HF_HOME", str(Path.home() / ".cache" / "huggingface"))
    cache = Path(os.environ.get("HF_HUB_CACHE", str(Path(home) / "hub")))
    return any(cache.glob(f"models--{repository.replace('/', '--')}/snapshots/*/model.safetensors"))
