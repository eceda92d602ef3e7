"""Pictures to pre-train on: each decoded once, kept as bytes in a memory map."""

import hashlib
import json
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from regraft.activations.processor import decoders
from regraft.core import DataError, ImageSample
from regraft.core.places import default_cache_dir
from regraft.media.pictures import PictureError, decode_rgb
from regraft.tasks.images import PICTURE_SUFFIXES, read_image_folder
from regraft.tasks.reading import Reading, Record
from regraft.tasks.splits import held_out
from regraft.tasks.webdataset import is_shard, read_shards, shards_in

Progress = Callable[[str, int, int], None]

HELD_OUT = 0.05  # of data without a validation part: enough to see the run go wrong
CHUNK = 256


@dataclass(frozen=True)
class PictureBank:
    """Decoded pictures with their samples and labels, index by index.

    Attributes:
        pixels: uint8 (N, 3, side, side), memory-mapped.
        samples: N samples, digests filled in.
        labels: int64 (N,), -1 where there is none.
    """

    pixels: NDArray[np.uint8]
    samples: tuple[ImageSample, ...]
    labels: Tensor

    def __len__(self) -> int:
        return len(self.samples)

    def rows(self, positions: list[int]) -> Tensor:
        """The pictures at the given positions, uint8 (B, 3, side, side)."""
        order = np.argsort(positions)  # ascending reads of the map are read ahead by the system
        found = np.empty((len(positions), *self.pixels.shape[1:]), np.uint8)
        found[order] = self.pixels[np.asarray(positions)[order]]
        return torch.from_numpy(found)

    def at_side(self, positions: list[int], side: int) -> Tensor:
        """The same at another size: float32 (B, 3, side, side), 0-255, channels last."""
        values = self.rows(positions).float()
        if values.shape[-1] != side:
            values = F.interpolate(values, size=(side, side), mode="bilinear", antialias=True)
        return values.contiguous(memory_format=torch.channels_last)


@dataclass(frozen=True)
class Pictures:
    """The data of a run.

    Attributes:
        name: The folder's or file's name.
        classes: Class names in label order; empty where no picture has a label.
        train: To learn from.
        held_out: To watch the run by.
        fingerprint: sha256 over digests and labels.
    """

    name: str
    classes: tuple[str, ...]
    train: PictureBank
    held_out: PictureBank
    fingerprint: str


def open_pictures(path: Path, side: int, seed: int, progress: Progress | None = None) -> Pictures:
    """Decode what is there, or take what an earlier run decoded.

    Args:
        path: Shards, a folder of class folders, or any folder of pictures.
        side: Height and width to keep, in pixels: shorter side resized, centre kept.
        seed: Of the held-out part where the data have none.
        progress: Called with (what, done, total).

    Raises:
        DataError: Nothing usable is there.
    """
    reading = _read(path)
    records = _digested(reading.records)
    records = _split(records, seed)
    classes = tuple(sorted({record.label for record in records if record.split == "train"} - {""}))
    known = set(classes) | {""}
    parts = {
        name: [record for record in records if record.split == name and record.label in known]
        for name in ("train", "validation")
    }
    if not parts["train"]:
        raise DataError(f"{path}: no picture to learn from")
    banks = {name: _bank(part, classes, side, progress, name) for name, part in parts.items()}
    said = "".join(f"{one.split}\0{one.sample.digest}\0{one.label}\n" for one in records)
    fingerprint = hashlib.sha256(said.encode()).hexdigest()
    return Pictures(path.resolve().name.split(".")[0], classes, banks["train"], banks["validation"], fingerprint)


def _read(path: Path) -> Reading:
    if not path.exists():
        raise DataError(f"{path}: no such file or folder")
    if path.is_file():
        if not is_shard(path):
            raise DataError(f"{path}: not a tar of pictures; give a shard or a folder")
        return read_shards([path])
    if shards := shards_in(path):
        return read_shards(shards)
    if any(entry.is_dir() for entry in path.iterdir()):
        return read_image_folder(path)
    reading = Reading("image-classification")
    for file in sorted(path.iterdir()):
        if file.suffix.lower() in PICTURE_SUFFIXES:
            reading.records.append(Record(ImageSample(str(file), str(file), ""), ""))
    return reading


def _digested(records: list[Record]) -> list[Record]:
    """The records with the sha256 of each picture, by which the teacher's outputs are found again."""

    def filled(record: Record) -> Record:
        sample = record.sample
        if not isinstance(sample, ImageSample):
            raise DataError(f"{sample.source}: not a picture")
        try:
            return replace(record, sample=replace(sample, digest=hashlib.sha256(sample.read()).hexdigest()))
        except OSError as error:
            raise DataError(f"{sample.source}: cannot be read ({error.strerror})") from error

    return [filled(record) for record in records]


def _split(records: list[Record], seed: int) -> list[Record]:
    """Records in `train` and `validation`; a part is held out where the data have none, `test` is never looked at."""
    if all(
        record.split not in {"", "train"} for record in records
    ):  # held-out shards alone: all there is to learn from
        records = [replace(record, split="") for record in records]
    records = [replace(record, split=record.split or "train") for record in records]
    if any(record.split == "validation" for record in records):
        return records
    train = [position for position, record in enumerate(records) if record.split == "train"]
    digests: dict[str, int] = {}
    groups = [digests.setdefault(records[i].sample.digest, len(digests)) for i in train]
    moved = {train[i] for i in held_out([records[i].label for i in train], groups, HELD_OUT, seed)}
    return [replace(record, split="validation") if i in moved else record for i, record in enumerate(records)]


def _bank(
    records: list[Record], classes: tuple[str, ...], side: int, progress: Progress | None, part: str
) -> PictureBank:
    """The decoded pictures of one part; unreadable ones are left out."""
    samples = [record.sample for record in records if isinstance(record.sample, ImageSample)]
    key = hashlib.sha256("\n".join([str(side), *(one.digest for one in samples)]).encode()).hexdigest()
    folder = default_cache_dir() / "pictures"
    array, index = folder / f"{key}.npy", folder / f"{key}.json"
    if not index.exists():
        folder.mkdir(parents=True, exist_ok=True)
        _decode(samples, side, array, index, progress, f"decoding {part}")
    usable = json.loads(index.read_text(encoding="utf-8"))
    numbers = {label: number for number, label in enumerate(classes)}
    pixels: NDArray[np.uint8] = np.load(array, mmap_mode="r")
    labels = torch.tensor([numbers.get(records[i].label, -1) for i in usable], dtype=torch.long)
    return PictureBank(pixels, tuple(samples[i] for i in usable), labels)


def _decode(
    samples: list[ImageSample], side: int, array: Path, index: Path, progress: Progress | None, what: str
) -> None:
    """Write the map of all pictures and, once it is whole, the positions that could be read."""
    own = uuid.uuid4().hex  # another run may decode the same pictures
    draft = array.with_suffix(f".{own}.draft")
    usable: list[int] = []
    shape = (max(len(samples), 1), 3, side, side)
    kept = np.lib.format.open_memmap(draft, mode="w+", dtype=np.uint8, shape=shape)
    with ThreadPoolExecutor(decoders()) as pool:
        for begin in range(0, len(samples), CHUNK):
            chunk = samples[begin : begin + CHUNK]
            for offset, pixels in enumerate(pool.map(lambda one: _pixels(one, side), chunk)):
                if pixels is not None:
                    kept[len(usable)] = pixels
                    usable.append(begin + offset)
            if progress is not None:
                progress(what, begin + len(chunk), len(samples))
    kept.flush()
    del kept
    draft.replace(array)
    marker = index.with_suffix(f".{own}.draft-index")
    marker.write_text(json.dumps(usable), encoding="utf-8")
    marker.replace(index)


def _pixels(sample: ImageSample, side: int) -> NDArray[np.uint8] | None:
    """One picture, uint8 (3, side, side); None where it cannot be decoded."""
    try:
        picture = torch.from_numpy(decode_rgb(sample.read(), side).copy()).permute(2, 0, 1)
    except (PictureError, OSError):
        return None
    height, width = picture.shape[1:]
    if (height, width) != (side, side):
        short = min(height, width)
        size = [max(round(side * height / short), side), max(round(side * width / short), side)]
        picture = F.interpolate(picture[None], size=size, mode="bicubic", antialias=True)[0]
        top, left = (size[0] - side) // 2, (size[1] - side) // 2
        picture = picture[:, top : top + side, left : left + side]
    return picture.numpy()
