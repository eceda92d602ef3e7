"""Pictures as RGB arrays, whatever they were encoded as."""

import contextlib
import io
import struct
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import simplejpeg
from numpy.typing import NDArray
from PIL import Image, ImageOps

Pixels = NDArray[np.uint8]

MOST_PIXELS = 89_478_485  # a quarter of a GiB as RGB, where Pillow begins to warn
TOO_LARGE = f"more than {MOST_PIXELS:,} pixels; make it smaller or remove it"

# Scaled JPEG decoding starts where it is 2.5 times faster and differs by less than 54 dB: a picture
# four times larger than needed, decoded to at least twice the size needed.
SCALE_FROM = 4
SCALE_TO = 2

# White in a deep grey picture: of floats, and of 8, 12 and 16 bits; and how far floats may go beyond.
DEPTHS, OVERSHOOT = (1.0, 255.0, 4095.0, 65535.0), 0.005
HALF_TRANSPARENT = ("RGBA", "LA", "PA", "La", "RGBa")

# What Pillow raises on damaged bytes, in headers and EXIF data as well as in pixels (seen by changing bytes at random).
DAMAGE = (
    OSError,
    EOFError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    AttributeError,
    RuntimeError,
    struct.error,
)


class PictureError(ValueError):
    """A picture that cannot be used; `code` names why, the message says what to do."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class PictureFacts:
    """What is unusual about a picture that can be used.

    Attributes:
        format: `JPEG`, `PNG`, … as found in the bytes.
        mode: Pillow's mode before conversion to RGB.
        size: Width and height in pixels as stored.
        rotated: An EXIF orientation other than upright.
        frames: More than 1 in an animation.
    """

    format: str
    mode: str
    size: tuple[int, int]
    rotated: bool
    frames: int


def decode_rgb(data: bytes, shortest: int = 0) -> Pixels:
    """RGB pixels, (H, W, 3) uint8, upright; the first frame of an animation, transparency on white.

    Args:
        data: The encoded bytes.
        shortest: If above 0, a much larger JPEG is decoded at a smaller scale, its shorter side
            still at least twice this.

    Raises:
        PictureError: Empty, unreadable, truncated or too large to be decoded safely.
    """
    if data[:2] == b"\xff\xd8":
        pixels = _decode_plain_jpeg(data, shortest)
        if pixels is not None:
            return pixels
    with _opened(data) as picture, _damage_named():
        return np.asarray(_to_rgb(picture))


def picture_facts(data: bytes) -> PictureFacts:
    """What is unusual about a picture, from its header: `decode_rgb` finds damage further on.

    Raises:
        PictureError: Empty, in no known format, too large to be decoded safely, or its header is damaged.
    """
    with _opened(data) as picture, _damage_named():
        return PictureFacts(
            format=picture.format or "",
            mode=picture.mode,
            size=picture.size,
            rotated="exif" in picture.info and picture.getexif().get(0x0112, 1) not in {0, 1},
            frames=int(getattr(picture, "n_frames", 1)),
        )


def _decode_plain_jpeg(data: bytes, shortest: int) -> Pixels | None:
    """The fast path: an upright RGB or grey JPEG; None for anything that needs Pillow."""
    try:
        height, width, colours, _ = simplejpeg.decode_jpeg_header(data)
    except ValueError:
        return None
    if colours not in {"RGB", "YCbCr", "Gray"} or height * width > MOST_PIXELS or b"Exif\0\0" in data[:65536]:
        return None
    small = SCALE_TO * shortest if shortest and min(height, width) >= SCALE_FROM * shortest else 0
    try:
        pixels: Pixels = simplejpeg.decode_jpeg(data, "RGB", min_height=small, min_width=small)
    except ValueError:
        return None
    return pixels


def _opened(data: bytes) -> Image.Image:
    """The picture with its header read."""
    if not data:
        raise PictureError("empty-file", "the file has 0 bytes; copy it again or remove it")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # refused below
            picture = Image.open(io.BytesIO(data))
    except Image.DecompressionBombError as error:
        raise PictureError("picture-bomb", TOO_LARGE) from error
    except DAMAGE as error:
        raise PictureError("unreadable-picture", "not a picture in any known format; remove it") from error
    if picture.width * picture.height > MOST_PIXELS:
        raise PictureError("picture-bomb", TOO_LARGE)
    return picture


@contextlib.contextmanager
def _damage_named() -> Iterator[None]:
    """Whatever Pillow says of damaged bytes as a PictureError, telling truncation from other damage."""
    try:
        yield
    except Image.DecompressionBombError as error:
        raise PictureError("picture-bomb", TOO_LARGE) from error
    except DAMAGE as error:
        if "truncated" in str(error).lower() or isinstance(error, EOFError):
            raise PictureError("truncated-picture", "the file ends too early; copy it again or remove it") from error
        raise PictureError("unreadable-picture", f"damaged ({error}); copy it again or remove it") from error


def _to_rgb(picture: Image.Image) -> Image.Image:
    """Upright RGB of an opened picture."""
    picture.load()
    upright = ImageOps.exif_transpose(picture)
    if upright.mode.startswith("I") or upright.mode == "F":
        upright = _scaled_to_bytes(upright)
    if upright.mode in HALF_TRANSPARENT or "transparency" in upright.info:
        alpha = upright.convert("RGBA")
        ground = Image.new("RGBA", alpha.size, "white")
        upright = Image.alpha_composite(ground, alpha)
    return upright.convert("RGB")


def _scaled_to_bytes(picture: Image.Image) -> Image.Image:
    """A deep grey picture with the range of its depth mapped to 0-255: a plain cast would clip it to white."""
    values = np.asarray(picture, dtype=np.float64)
    # Scanners write 12 bits into 16, and resampled floats go a little beyond their range.
    top = next((one for one in DEPTHS if values.max() <= one * (1 + OVERSHOOT)), values.max())
    return Image.fromarray((values / top * 255).clip(0, 255).astype(np.uint8), mode="L")
