"""WebDataset shards: tar files in which `key.jpg` and `key.cls` stand side by side."""

import gzip
import hashlib
import re
import tarfile
import zlib
from pathlib import Path

from regraft.core import DataError, ImageSample
from regraft.core.places import default_cache_dir
from regraft.tasks.images import PICTURE_SUFFIXES
from regraft.tasks.reading import SPLIT_NAMES, Findings, Reading, Record
from regraft.tasks.tables import decoded, decoded_bytes
from regraft.tasks.unpacked import written_once

SHARD_SUFFIXES = (".tar", ".tar.gz", ".tgz")
CLASSES_FILE = "classes.tsv"
# As the library webdataset does, a name is parted at the first dot of its last component: `./v1.0/0001.seg.png` is
# `./v1.0/0001` and `seg.png`.
KEY_AND_SUFFIX = re.compile(r"((?:.*/|)[^./]+)[.]([^/]*)", re.DOTALL)


def is_shard(file: Path) -> bool:
    """Whether the name is that of a shard."""
    return file.name.lower().endswith(SHARD_SUFFIXES)


def shards_in(folder: Path) -> list[Path]:
    """The shards in `folder`, in order."""
    return sorted(file for file in folder.iterdir() if file.is_file() and is_shard(file))


def read_shards(shards: list[Path]) -> Reading:
    """Records of all shards; pictures stay in their tar and are read from there.

    A shard is not unpacked, so no member's name can reach a path. A compressed one is
    decompressed once into the cache folder, since a picture must be found by its offset.
    """
    reading = Reading("image-classification")
    names = _class_names(shards[0].parent / CLASSES_FILE, reading.findings)
    for shard in shards:
        try:
            _read_shard(shard, names, reading)
        except (tarfile.TarError, EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise DataError(f"{shard}: not a complete tar file ({error}); copy it again") from error
        except OSError as error:
            raise DataError(f"{shard}: cannot be read ({error.strerror}); check its permissions") from error
    if not reading.records:
        raise DataError(f"{shards[0].parent}: no pair of KEY.jpg and KEY.cls in any shard")
    return reading


def _read_shard(shard: Path, names: dict[str, str], reading: Reading) -> None:
    plain = _uncompressed(shard)
    word = re.match(r"[a-z]+", shard.name.lower())
    split = SPLIT_NAMES.get(word.group(), "") if word else ""
    pictures: dict[str, ImageSample] = {}
    labels: dict[str, str] = {}
    with tarfile.open(plain, "r:") as tar:
        for member in tar:
            parted = KEY_AND_SUFFIX.fullmatch(member.name)
            if not parted or not member.isfile():
                continue
            key, suffix = parted.group(1), parted.group(2).lower()
            if f".{suffix}" in PICTURE_SUFFIXES:
                source = f"{shard}:{member.name}"
                pictures[key] = ImageSample(source, str(plain), "", member.offset_data, member.size)
            elif suffix == "cls":
                file = tar.extractfile(member)
                data = b"" if file is None else file.read(1024)
                labels[key] = decoded_bytes(data, f"{shard}:{member.name}", reading.findings).strip()
        _require_end(plain, tar.offset)
    for key, sample in pictures.items():
        label = labels.get(key, "")
        if label:
            reading.records.append(Record(sample, names.get(label, label), split))
        else:
            reading.findings.add("error", "missing-label", "pictures without a .cls member; left out", sample.source)


def _require_end(plain: Path, offset: int) -> None:
    """Raise ReadError where the block of zeros that ends a tar is not there: some members may be lost."""
    with plain.open("rb") as file:
        file.seek(offset)
        if file.read(tarfile.BLOCKSIZE) != bytes(tarfile.BLOCKSIZE):
            raise tarfile.ReadError("its end is missing")


def _class_names(file: Path, findings: Findings) -> dict[str, str]:
    """Names by class index, where a `classes.tsv` (index, identifier, name) stands beside the shards."""
    if not file.is_file():
        return {}
    rows = [line.split("\t") for line in decoded(file, findings).splitlines() if line]
    names = {row[0]: row[-1] for row in rows}
    if len(set(names.values())) < len(names):  # two classes may share a first English name
        names = {row[0]: f"{row[-1]} ({row[1]})" for row in rows}
    return names


def _uncompressed(shard: Path) -> Path:
    """The shard itself, or its decompressed copy in the cache."""
    if shard.name.lower().endswith(".tar"):
        return shard
    folder = default_cache_dir() / "shards"
    with shard.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    plain = folder / f"{digest}.tar"
    with written_once(plain) as write, gzip.open(shard) as packed:
        while write is not None and (data := packed.read(1 << 20)):
            write(data)
    return plain
