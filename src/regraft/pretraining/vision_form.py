"""Between a trunk of timm's and what is learnt with it: pictures normalised going in, a folder coming out."""

import json
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from regraft.backbones.folders import CONFIG
from regraft.backbones.image_preprocessing import ImagePreprocess
from regraft.backbones.vision import VisionBackbone


class Normalise(nn.Module):
    """Pictures float32 (B, 3, H, W), 0-255, with the network's mean and standard deviation taken out."""

    mean: Tensor
    std: Tensor

    def __init__(self, preprocess: ImagePreprocess) -> None:
        super().__init__()
        for name in ("mean", "std"):
            values = torch.tensor(getattr(preprocess, name)).view(1, 3, 1, 1) * 255
            self.register_buffer(name, values, persistent=False)

    def forward(self, pictures: Tensor) -> Tensor:
        """The normalised pictures."""
        return (pictures - self.mean) / self.std


def write_vision(backbone: VisionBackbone, folder: Path, classes: tuple[str, ...], facts: dict[str, Any]) -> None:
    """The `local-dir` form of timm form: the whole network with its classifier and the names of its outputs.

    Args:
        backbone: Its module has a classifier of `classes`, or none.
        folder: An existing one.
        classes: What the outputs are called.
        facts: What else stands in `pretrained_cfg`: tag and licence, fields that timm knows.
    """
    backbone.write(folder)
    config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    config["num_classes"] = len(classes)
    config["pretrained_cfg"] |= {
        "num_classes": len(classes),
        "label_names": list(classes),
        "input_size": [3, *backbone.preprocess.size],
        "pool_size": None,
        "crop_pct": backbone.preprocess.crop_share,
        "crop_mode": backbone.preprocess.crop_mode,
        "interpolation": backbone.preprocess.interpolation,
        **facts,
    }
    (folder / CONFIG).write_text(json.dumps(config, indent=1), encoding="utf-8")
