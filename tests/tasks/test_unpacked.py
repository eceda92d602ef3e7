"""What is compressed is unpacked into the cache, which is named where it cannot be written."""

import io
import resource
import tarfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sklearn.datasets import load_sample_image

from regraft.cli.main import run
from regraft.core import OptionError
from regraft.tasks import open_task

PHOTOGRAPH = load_sample_image("flower.jpg")


def picture(number: int) -> bytes:
    head, piece = b"P6 80 64 255\n", PHOTOGRAPH[8 * number : 8 * number + 64, 20 * number : 20 * number + 80]
    return head + piece.tobytes()


def shard(folder: Path) -> Path:
    with tarfile.open(folder / "a.tar.gz", "w:gz") as tar:
        for number in range(20):
            for suffix, data in (("ppm", picture(number)), ("cls", str(number % 2).encode())):
                member = tarfile.TarInfo(f"{number}.{suffix}")
                member.size = len(data)
                tar.addfile(member, io.BytesIO(data))
    return folder / "a.tar.gz"


def table(folder: Path) -> Path:
    images = [{"bytes": picture(number), "path": None} for number in range(20)]
    pq.write_table(pa.table({"image": images, "label": ["ab"[n % 2] for n in range(20)]}), folder / "a.parquet")
    return folder / "a.parquet"


@pytest.mark.parametrize("write", [shard, table])
def test_a_cache_that_cannot_be_made_is_named(
    write: Callable[[Path], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("REGRAFT_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(OptionError, match=r"file/cache.*name another folder with --cache-dir"):
        open_task(write(tmp_path))


@pytest.mark.parametrize("write", [shard, table])
def test_a_cache_that_is_full_is_named_and_nothing_stays_there(
    write: Callable[[Path], Path], own_cache: Path, tmp_path: Path
) -> None:
    data, limits = write(tmp_path), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))  # of the 300,000 bytes that it takes
    try:
        with pytest.raises(OptionError, match="File too large.*--cache-dir"):
            open_task(data)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert not [one for one in own_cache.rglob("*") if one.is_file()]
    assert sum(map(len, open_task(data).splits.values())) == 20


@pytest.mark.parametrize("write", [shard, table])
def test_pictures_are_unpacked_where_the_option_says(
    write: Callable[[Path], Path], own_cache: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, folder = write(tmp_path), tmp_path / "elsewhere"
    assert run(["inspect", str(data), "--cache-dir", str(folder)]) == 0, capsys.readouterr().err
    assert len([one for one in folder.rglob("*") if one.is_file()]) == 1
    assert not own_cache.exists()
    assert open_task(data).train.samples  # the option does not outlive its command
    assert own_cache.exists()
