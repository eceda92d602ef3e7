"""Every picture read once: its digest, its perceptual hash, and what is wrong with it."""

import functools
import hashlib
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import imagehash
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from regraft.core import ImageSample
from regraft.media.pictures import PictureError, decode_rgb, picture_facts
from regraft.tasks.images import PICTURE_SUFFIXES
from regraft.tasks.reading import Findings, Reading, Record

HASH_SIZE = 16  # 256 bits: 64 would call many textures and line drawings alike
THREADS = 4

FORMAT_SUFFIXES = {
    "JPEG": {".jpg", ".jpeg", ".jfif"},
    "MPO": {".jpg", ".jpeg", ".jfif"},
    "PNG": {".png"},
    "BMP": {".bmp"},
    "GIF": {".gif"},
    "WEBP": {".webp"},
    "TIFF": {".tif", ".tiff"},
    "PPM": {".ppm", ".pgm"},
}


@dataclass(frozen=True)
class Look:
    """What one reading of a picture told.

    Attributes:
        sample: With its digest filled in.
        hash: Perceptual hash of the grey picture (Zauner 2010), packed bits, then the mean of each channel.
        oddities: (code, message) of what is handled but worth knowing.
        fault: (code, message) of what makes it unusable, else None.
    """

    sample: ImageSample
    hash: NDArray[np.uint8] | None
    oddities: tuple[tuple[str, str], ...] = ()
    fault: tuple[str, str] | None = None


def examine_pictures(reading: Reading) -> dict[str, NDArray[np.uint8]]:
    """Fill in digests, drop unusable pictures with a finding each, and return hashes by digest."""
    samples = [record.sample for record in reading.records if isinstance(record.sample, ImageSample)]
    kept: list[Record] = []
    hashes: dict[str, NDArray[np.uint8]] = {}
    for record, look in zip(reading.records, _looks(samples), strict=True):
        if look.fault is not None or look.hash is None:
            code, message = look.fault or ("unreadable-picture", "not readable")
            reading.findings.add("error", code, f"pictures left out: {message}", look.sample.source)
            continue
        _note_oddities(look, reading.findings)
        hashes[look.sample.digest] = look.hash
        kept.append(replace(record, sample=look.sample))
    reading.records = kept
    return hashes


def _note_oddities(look: Look, findings: Findings) -> None:
    for code, message in look.oddities:
        findings.add("note", code, message, look.sample.source)


def _looks(samples: list[ImageSample]) -> Iterable[Look]:
    """Looks in order; a file is looked at again only when its size or time has changed."""
    with ThreadPoolExecutor(THREADS) as pool:
        yield from pool.map(_cached_look, samples, map(_stamp, samples))


def _stamp(sample: ImageSample) -> tuple[int, int]:
    try:
        facts = Path(sample.path).stat()
    except OSError:
        return (0, 0)
    return (facts.st_size, facts.st_mtime_ns)


@functools.lru_cache(maxsize=200_000)
def _cached_look(sample: ImageSample, stamp: tuple[int, int]) -> Look:
    return _look(sample)


def _look(sample: ImageSample) -> Look:
    try:
        data = sample.read()
    except OSError as error:
        return Look(sample, None, fault=("unreadable-file", f"{error.strerror}: check its permissions"))
    sample = replace(sample, digest=hashlib.sha256(data).hexdigest())
    try:
        facts = picture_facts(data)
        pixels = decode_rgb(data, shortest=4 * HASH_SIZE)
    except PictureError as error:
        return Look(sample, None, fault=(error.code, str(error)))
    found = []
    suffix = Path(sample.source).suffix.lower()
    named = sample.size < 0 or suffix in PICTURE_SUFFIXES  # a row of a table has no name that could end wrongly
    if named and suffix not in FORMAT_SUFFIXES.get(facts.format, {suffix}):
        found.append(("wrong-extension", "pictures whose name ends unlike their format; read by content"))
    if facts.mode == "CMYK":
        found.append(("cmyk-picture", "CMYK pictures; converted to RGB"))
    if facts.mode.startswith("I") or facts.mode == "F":
        found.append(("sixteen-bit-picture", "pictures of more than 8 bits; scaled to 8 bits"))
    if facts.frames > 1:
        found.append(("animated-picture", "animations; the first frame is used"))
    if facts.rotated:
        found.append(("rotated-picture", "pictures with an EXIF rotation; turned upright"))
    return Look(sample, _perceptual_hash(pixels), tuple(found))


def _perceptual_hash(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    bits = imagehash.phash(Image.fromarray(pixels), hash_size=HASH_SIZE).hash
    means = pixels.reshape(-1, 3).mean(axis=0).astype(np.uint8)
    return np.concatenate([np.packbits(bits), means])


def digested(sample: ImageSample) -> ImageSample:
    """The sample with its digest, after decoding it once.

    Raises:
        PictureError: It cannot be used.
        OSError: It cannot be read.
    """
    data = sample.read()
    decode_rgb(data)
    return replace(sample, digest=hashlib.sha256(data).hexdigest())
