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

# A side this many times the other is cut before resizing: the crop sees about as much as the shorter side is long, and
# a line of 1 x 100,000 pixels would first become 256 x 25.6 million.
EXTREME = 32


@dataclass(frozen=True)
class ImagePreprocess:
    """The preprocessing that a checkpoint was trained with.

    Attributes:
        size: Height and width of the result, in pixels.
        crop_share: Share of the resized picture's side that the centre crop keeps.
        interpolation: `bilinear` or `bicubic`, with antialiasing.
        mean: Per channel, of pixels scaled to 0-1.
        std: Per channel.
        crop_mode: How a picture of another shape is resized before the crop, in timm's words: `center`
            cuts off what is too long, `squash` changes the aspect, `border` fills up with the mean.
    """

    size: tuple[int, int]
    crop_share: float
    interpolation: str
    mean: tuple[float, ...]
    std: tuple[float, ...]
    crop_mode: str = "center"

    @property
    def fingerprint(self) -> str:
        """sha256 of all settings, hexadecimal."""
        return hashlib.sha256(json.dumps([asdict(self), AREA, ASPECT, JITTER]).encode()).hexdigest()

    def __call__(self, sample: Sample) -> Tensor:
        """The resized centre crop, uint8 (3, H, W)."""
        pixels = self._shortened(self._decoded(sample, math.floor(max(self.size) / self.crop_share)))
        resized = self._resized(pixels, list(self.resized_size(*pixels.shape[1:])))
        cropped: Tensor = transform.center_crop(self._filled(resized), list(self.size))
        return cropped.contiguous()

    def resized_size(self, height: int, width: int) -> tuple[int, int]:
        """Height and width of a picture after resizing and before the crop, rounded as timm and torchvision do."""
        high, wide = (math.floor(side / self.crop_share) for side in self.size)
        if self.crop_mode == "squash":
            return high, wide
        if high == wide and self.crop_mode != "border":
            short = min(height, width)
            return int(high * height / short), int(high * width / short)
        choose = max if self.crop_mode == "border" else min
        ratio = choose(height / high, width / wide)
        return max(round(height / ratio), 1), max(round(width / ratio), 1)

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
        mean, std = (torch.tensor(one, device=pixels.device).view(1, 3, 1, 1) * 255 for one in (self.mean, self.std))
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

    def _shortened(self, pixels: Tensor) -> Tensor:
        """The middle of a picture that is extremely long, where the crop will be; any other as it is."""
        if self.crop_mode != "center":
            return pixels
        for axis, side, other in ((1, pixels.shape[1], pixels.shape[2]), (2, pixels.shape[2], pixels.shape[1])):
            kept = EXTREME * other
            if side > kept:
                pixels = pixels.narrow(axis, (side - kept) // 2, kept)
        return pixels

    def _filled(self, pixels: Tensor) -> Tensor:
        """The picture with borders of the mean colour where it is smaller than the crop."""
        lacking = [max(side - has, 0) for side, has in zip(self.size, pixels.shape[1:], strict=True)]
        if not any(lacking):
            return pixels
        top, left = (side // 2 for side in lacking)
        filled: Tensor = transform.pad(
            pixels,
            [left, top, lacking[1] - left, lacking[0] - top],
            fill=[float(round(255 * one)) for one in self.mean],
        )
        return filled

    def _resized(self, pixels: Tensor, size: list[int]) -> Tensor:
        if list(pixels.shape[1:]) == size:
            return pixels
        mode = "bilinear" if self.interpolation == "bilinear" else "bicubic"
        return F.interpolate(pixels[None], size=size, mode=mode, antialias=True)[0]


def crop_share_of(side: int, edge: int) -> float:
    """The share whose resized side is `edge` in spite of rounding: 160 / (160 / 163) is just below 163."""
    share = side / edge
    while math.floor(side / share) < edge:
        share = math.nextafter(share, 0.0)
    return share


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
