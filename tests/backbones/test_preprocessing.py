"""Pictures come out as timm's own evaluation transform makes them."""

from pathlib import Path

import numpy as np
import pytest
import timm
import torch
from PIL import Image
from torch.utils._python_dispatch import TorchDispatchMode
from torchvision.transforms.v2.functional import center_crop

from regraft.backbones import load_backbone
from regraft.backbones.image_preprocessing import ImagePreprocess, crop_share_of
from regraft.backbones.timm_source import build_timm
from regraft.core import ImageSample, Passport

PICTURES = {"landscape": (411, 300), "portrait": (257, 389), "square": (333, 333), "small": (90, 61), "wide": (500, 50)}
SHARES = (0.875, 0.9, 0.95, 0.96, 0.965, 1.0)


def picture(folder: Path, shape: str) -> Path:
    """A smooth colourful picture, so that only geometry can differ, as a PNG file."""
    width, height = PICTURES[shape]
    x, y = np.meshgrid(np.linspace(0, 9, width), np.linspace(0, 7, height))
    waves = [np.sin(x + y), np.cos(2 * x - y), np.sin(x * y / 4)]
    pixels = (127.5 + 120 * np.stack(waves, axis=-1)).astype(np.uint8)
    file = folder / f"{shape}.png"
    Image.fromarray(pixels).save(file)
    return file


def difference(preprocess: ImagePreprocess, data: dict, file: Path) -> float:
    """Mean absolute difference from timm, in levels of 0-255."""
    ours = preprocess(ImageSample(str(file), str(file), ""))
    transform = timm.data.create_transform(**data, is_training=False, normalize=False)
    theirs = transform(Image.open(file).convert("RGB"))
    assert ours.shape == theirs.shape
    return float((ours.float() - theirs.float()).abs().mean())


def both(
    side: tuple[int, int], share: float, mode: str, interpolation: str = "bicubic"
) -> tuple[ImagePreprocess, dict]:
    """The preprocessing that a timm network with this configuration gets, and timm's words for it."""
    overlay = {"input_size": (3, *side), "crop_pct": share, "crop_mode": mode, "interpolation": interpolation}
    model = timm.create_model("test_resnet", pretrained_cfg_overlay=overlay)
    data = timm.data.resolve_model_data_config(model)
    return build_timm(model, "test_resnet", {}, Passport("n", "n")).preprocess, data


@pytest.mark.parametrize("share", SHARES)
@pytest.mark.parametrize("side", [160, 224, 256, 288, 299])
def test_centre_crops_are_timms(side: int, share: float, tmp_path: Path) -> None:
    preprocess, data = both((side, side), share, "center")
    assert max(difference(preprocess, data, picture(tmp_path, shape)) for shape in PICTURES) < 0.5


@pytest.mark.parametrize("mode", ["center", "squash", "border"])
@pytest.mark.parametrize("side", [(224, 224), (160, 224), (301, 160)])
def test_every_crop_mode_is_timms(side: tuple[int, int], mode: str, tmp_path: Path) -> None:
    for share in (0.875, 0.96, 1.0):
        preprocess, data = both(side, share, mode, "bilinear")
        assert max(difference(preprocess, data, picture(tmp_path, shape)) for shape in PICTURES) < 0.5


def test_a_large_jpeg_differs_little(tmp_path: Path) -> None:
    file = tmp_path / "large.jpg"
    Image.open(picture(tmp_path, "landscape")).resize((1800, 1301)).save(file, quality=95)
    for mode in ("center", "squash", "border"):
        preprocess, data = both((160, 160), 0.95, mode)
        assert difference(preprocess, data, file) < 2


def test_the_crop_mode_is_part_of_the_fingerprint_and_is_saved(tmp_path: Path) -> None:
    overlay = {"crop_mode": "squash", "crop_pct": 1.0}
    model = timm.create_model("test_resnet", pretrained_cfg_overlay=overlay)
    backbone = build_timm(model, "test_resnet", {}, Passport("n", "n"))
    backbone.write(tmp_path)
    again = load_backbone(str(tmp_path)).preprocess
    plain = load_backbone("scratch:test_resnet").preprocess
    assert again == backbone.preprocess
    assert again.fingerprint != plain.fingerprint


@pytest.mark.parametrize("edge", [160, 163, 182, 199, 250])
def test_the_shortest_edge_of_transformers_is_kept(edge: int) -> None:
    share = crop_share_of(160, edge)  # 160 / (160 / edge) falls below the whole number for some
    preprocess = ImagePreprocess((160, 160), share, "bilinear", (0.5,) * 3, (0.5,) * 3)
    assert preprocess.resized_size(300, 300) == (edge, edge)


class Largest(TorchDispatchMode):
    """Counts the values of the largest tensor that is made."""

    count = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        made = function(*args, **(kwargs or {}))
        self.count = max(self.count, made.numel() if isinstance(made, torch.Tensor) else 0)
        return made


@pytest.mark.parametrize("size", [(20_000, 10), (10, 20_000)])
def test_a_picture_like_a_line_is_not_blown_up_before_the_crop(size: tuple[int, int], tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (size[1], size[0], 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "line.png")
    preprocess, _ = both((160, 160), 0.95, "center")
    with Largest() as largest:
        ours = preprocess(ImageSample("line", str(tmp_path / "line.png"), ""))
    assert largest.count < 5_000_000
    short = round(160 / 0.95)
    whole = torch.from_numpy(noise).permute(2, 0, 1)[None]
    sides = [short * size[1] // 10, short * size[0] // 10]
    resized = torch.nn.functional.interpolate(whole, size=sides, mode="bicubic", antialias=True)[0]
    theirs = center_crop(resized, [160, 160])
    assert (ours.float() - theirs.float()).abs().mean() < 1
