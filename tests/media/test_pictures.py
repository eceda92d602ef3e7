"""Every kind of picture comes out as upright RGB, or with one clear error."""

import io
import random

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_sample_image

from regraft.media.pictures import PictureError, decode_rgb, picture_facts

RAMP = np.linspace(0, 255, 64 * 48 * 3).astype(np.uint8).reshape(48, 64, 3)
NOISE = np.random.default_rng(0).integers(0, 255, (48, 64, 3), dtype=np.uint8)


def encoded(picture: Image.Image, form: str, **options: object) -> bytes:
    file = io.BytesIO()
    picture.save(file, form, **options)
    return file.getvalue()


@pytest.mark.parametrize("mode", ["RGB", "L", "1", "P", "RGBA", "LA", "CMYK", "I;16"])
def test_every_mode_becomes_rgb(mode: str) -> None:
    picture = Image.fromarray(RAMP)
    if mode == "I;16":
        picture = Image.fromarray(RAMP[..., 0].astype(np.uint16) * 257)
    form = "TIFF" if mode in {"CMYK", "I;16"} else "PNG"
    pixels = decode_rgb(encoded(picture if mode == "I;16" else picture.convert(mode), form))
    assert pixels.shape == (48, 64, 3)
    assert pixels.dtype == np.uint8


def test_sixteen_bits_are_scaled_not_clipped() -> None:
    deep = RAMP[..., 0].astype(np.uint16) * 257
    pixels = decode_rgb(encoded(Image.fromarray(deep), "PNG"))
    assert np.abs(pixels[..., 0].astype(int) - RAMP[..., 0]).max() <= 1


@pytest.mark.parametrize("bits", [8, 12, 16])
def test_the_depth_that_a_scanner_wrote_is_white(bits: int) -> None:
    top = 2**bits - 1
    deep = np.round(RAMP[..., 0] / 255 * top)
    for kind, form in ((np.uint16, "PNG"), (np.int32, "TIFF"), (np.float32, "TIFF")):
        pixels = decode_rgb(encoded(Image.fromarray(deep.astype(kind)), form))
        assert np.abs(pixels[..., 0].astype(int) - RAMP[..., 0]).max() <= 1
    over = (deep * 1.001).astype(np.float32)  # resampling goes a little beyond
    assert np.abs(decode_rgb(encoded(Image.fromarray(over), "TIFF"))[..., 0].astype(int) - RAMP[..., 0]).max() <= 2


def test_exif_rotation_is_applied() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    data = encoded(Image.fromarray(RAMP), "JPEG", exif=exif)
    assert decode_rgb(data).shape == (64, 48, 3)
    assert picture_facts(data).rotated


def test_the_first_frame_of_an_animation_is_read() -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    data = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert decode_rgb(data)[0, 0].tolist() == [255, 0, 0]
    assert picture_facts(data).frames == 2


def test_transparency_is_put_on_white() -> None:
    assert decode_rgb(encoded(Image.new("RGBA", (4, 4), (0, 0, 0, 0)), "PNG")).min() == 255


def test_a_plain_jpeg_equals_pillow() -> None:
    data = encoded(Image.fromarray(RAMP), "JPEG", quality=95)
    reference = np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).astype(int)
    assert np.abs(decode_rgb(data).astype(int) - reference).max() <= 2


def test_a_large_jpeg_is_decoded_smaller_but_large_enough() -> None:
    data = encoded(Image.fromarray(RAMP).resize((1600, 1200)), "JPEG")
    assert 400 <= min(decode_rgb(data, shortest=200).shape[:2]) < 1200


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty-file"),
        (b"<html>not found</html>", "unreadable-picture"),
        (encoded(Image.fromarray(NOISE), "JPEG")[:-900], "truncated-picture"),
        (encoded(Image.fromarray(NOISE), "PNG")[:-900], "truncated-picture"),
    ],
)
def test_damage_has_a_name(data: bytes, code: str) -> None:
    with pytest.raises(PictureError) as caught:
        decode_rgb(data)
    assert caught.value.code == code


def test_a_bomb_is_refused_by_its_header() -> None:
    data = encoded(Image.new("1", (20000, 20000)), "PNG")
    with pytest.raises(PictureError, match="pixels"):
        decode_rgb(data)


@pytest.mark.parametrize("limit", [None, Image.MAX_IMAGE_PIXELS])
@pytest.mark.parametrize("form", ["JPEG", "PNG"])
def test_one_limit_holds_for_looking_and_decoding(
    form: str, limit: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = encoded(Image.new("L", (10_000, 9_000)), form)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)  # a program's own limit is not ours
    for read in (picture_facts, decode_rgb):
        with pytest.raises(PictureError, match="more than 89,478,485 pixels"):
            read(data)


@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow warns of much of what it reads all the same
@pytest.mark.parametrize(
    ("form", "options"),
    [
        ("GIF", {"save_all": True, "append_images": [Image.fromarray(RAMP), Image.fromarray(NOISE)]}),
        ("TIFF", {}),
        ("TIFF", {"compression": "tiff_lzw"}),
        ("PNG", {}),
        ("WEBP", {}),
        ("JPEG", {}),
    ],
)
def test_whatever_is_damaged_is_a_picture_error(form: str, options: dict[str, object]) -> None:
    photograph = Image.fromarray(load_sample_image("china.jpg")[100:148, 200:264])
    exif = Image.Exif()
    exif[0x0112] = 6
    whole = encoded(photograph, form, exif=exif, **options)
    rng = random.Random(0)  # noqa: S311 - no secret
    refused = 0
    for _ in range(400):
        data = bytearray(whole)
        for _ in range(rng.choice((1, 2, 4, 16))):
            data[rng.randrange(rng.choice((64, 400, len(data))))] = rng.randrange(256)
        if rng.random() < 0.3:  # where TIFF has its directory and GIF its last frame
            data[-200:] = rng.randbytes(200)
        for read in (picture_facts, decode_rgb):
            try:
                read(bytes(data))
            except PictureError:
                refused += 1
    assert refused > 20
