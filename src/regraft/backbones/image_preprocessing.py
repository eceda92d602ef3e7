"""From a picture's bytes to the uint8 tensor that a vision trunk reads."""

import hashlib
import json
import math
from dataclasses import asdict, dataclass

import torch
from torch import Tensor
from torch.nn import functional as F
from torchvision.transforms.v2 import functional as transform

from regraft.core import DataError, ImageSample, Sample
from regraft.media.pictures import PictureError, decode_rgb

# Random views: mild, since small targets are often centred and photographed alike. The crop's area and
# aspect follow the usual fine-tuning recipes (RandomResizedCrop) with a larger lower bound.
AREA = (0.5, 1.0)
ASPECT = (3 / 4, 4 / 3)
JITTER = 0.15  # brightness, contrast and saturation change by at most this share


@dataclass(frozen=True)
class ImagePreprocess:
    """The preprocessing that a checkpoint was trained with.

    Attributes:
        size: Height and width of the result, in pixels.
        crop_share: Share of the resized picture's shorter side that the centre crop keeps.
        interpolation: `bilinear` or `bicubic`, with antialiasing.
        mean: Per channel, of pixels scaled to 0-1.
        std: Per channel.
    """

    size: tuple[int, int]
    crop_share: float
    interpolation: str
    mean: tuple[float, ...]
    std: tuple[float, ...]

    @property
    def fingerprint(self) -> str:
        """sha256 of all settings, hexadecimal."""
        return hashlib.sha256(json.dumps([asdict(self), AREA, ASPECT, JITTER]).encode()).hexdigest()

    def __call__(self, sample: Sample) -> Tensor:
        """The resized centre crop, uint8 (3, H, W)."""
        height, width = self.size
        pixels = self._decoded(sample, math.floor(min(self.size) / self.crop_share))
        scale = max(height, width) / self.crop_share / min(pixels.shape[1:])
        # timm resizes the shorter side to the floor of size / share and crops the centre.
        resized = self._resized(pixels, [max(math.floor(side * scale + 1e-6), 1) for side in pixels.shape[1:]])
        cropped: Tensor = transform.center_crop(resized, [height, width])
        return cropped.contiguous()

    def augmented(self, sample: Sample, seed: int) -> Tensor:
        """A random crop, flip and colour change, uint8 (3, H, W): a function of (sample, seed) alone."""
        rng = torch.Generator().manual_seed(
            int(hashlib.sha256(f"{sample.digest}/{seed}".encode()).hexdigest()[:15], 16)
        )
        pixels = self._decoded(sample, min(self.size))
        top, left, height, width = _random_crop(pixels.shape[1], pixels.shape[2], rng)
        view = self._resized(pixels[:, top : top + height, left : left + width], list(self.size))
        if torch.rand((), generator=rng) < 0.5:
            view = view.flip(2)
        for change in (transform.adjust_brightness, transform.adjust_contrast, transform.adjust_saturation):
            factor = 1 + JITTER * (2 * torch.rand((), generator=rng).item() - 1)
            view = change(view, factor)
        return view.contiguous()

    def normalise(self, pixels: Tensor) -> Tensor:
        """uint8 (B, 3, H, W) as float32 with the checkpoint's mean and standard deviation taken out."""
        mean, std = (torch.tensor(values).view(1, 3, 1, 1) * 255 for values in (self.mean, self.std))
        return (pixels.float() - mean) / std

    def _decoded(self, sample: Sample, shortest: int) -> Tensor:
        if not isinstance(sample, ImageSample):
            raise DataError(f"{sample.source}: this backbone reads pictures, not text; choose a text backbone")
        try:
            pixels = decode_rgb(sample.read(), shortest)
        except PictureError as error:
            raise DataError(f"{sample.source}: {error}") from error
        except OSError as error:
            raise DataError(f"{sample.source}: cannot be read ({error.strerror})") from error
        return torch.from_numpy(pixels.copy() if not pixels.flags.writeable else pixels).permute(2, 0, 1)

    def _resized(self, pixels: Tensor, size: list[int]) -> Tensor:
        if list(pixels.shape[1:]) == size:
            return pixels
        mode = "bilinear" if self.interpolation == "bilinear" else "bicubic"
        return F.interpolate(pixels[None], size=size, mode=mode, antialias=True)[0]


def _random_crop(height: int, width: int, rng: torch.Generator) -> tuple[int, int, int, int]:
    """Top, left, height and width of a crop with random area and aspect; the whole where none fits."""
    for _ in range(10):
        area = height * width * (AREA[0] + (AREA[1] - AREA[0]) * torch.rand((), generator=rng).item())
        low, high = math.log(ASPECT[0]), math.log(ASPECT[1])
        aspect = math.exp(low + (high - low) * torch.rand((), generator=rng).item())
        crop_height, crop_width = round(math.sqrt(area / aspect)), round(math.sqrt(area * aspect))
        if 0 < crop_height <= height and 0 < crop_width <= width:
            top = int(torch.randint(0, height - crop_height + 1, (), generator=rng))
            left = int(torch.randint(0, width - crop_width + 1, (), generator=rng))
            return top, left, crop_height, crop_width
    return 0, 0, height, width
