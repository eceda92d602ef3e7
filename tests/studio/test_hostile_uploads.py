"""Every kind of hostile upload is refused with one sentence that names it, and leaves nothing behind."""

import io
import stat
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from PIL import Image
from tests.studio.conftest import packed, png

GOOD = (("rose/1.png", png(shade=250)), ("lily/1.png", png(shade=90)))


def entry(name: str, data: bytes = b"x", **fields: object) -> bytes:
    """An archive with one entry whose directory record is as given."""
    file = io.BytesIO()
    info = zipfile.ZipInfo(name)
    for key, value in fields.items():
        setattr(info, key, value)
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as opened:
        opened.writestr(info, data)
    return file.getvalue()


def patched(archive: bytes, old: bytes, new: bytes) -> bytes:
    assert old in archive
    return archive.replace(old, new)


def flagged(archive: bytes, flag: int) -> bytes:
    """The archive with a flag bit set in every header."""
    data = bytearray(archive)
    for signature, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = data.find(signature)
        while at >= 0:
            data[at + place] |= flag
            at = data.find(signature, at + 4)
    return bytes(data)


def lying_size() -> bytes:
    """The directory says ten bytes where half a megabyte comes."""
    archive = bytearray(packed(("rose/1.csv", b"a,b\n" * 130_000)))
    real = struct.pack("<I", 520_000)
    return bytes(archive).replace(real, struct.pack("<I", 10))


def overlapping() -> bytes:
    """Forty directory records that all point at one piece of the file."""
    archive = packed(("a/000.csv", bytes(range(256)) * 40))
    at = archive.find(b"PK\x01\x02")
    end = archive.find(b"PK\x05\x06")
    record = archive[at:end]
    records = b"".join(record.replace(b"a/000.csv", f"a/{number:03}.csv".encode()) for number in range(40))
    tail = bytearray(archive[end:])
    struct.pack_into("<HHI", tail, 8, 40, 40, len(records))
    return archive[:at] + records + bytes(tail)


def huge_picture() -> bytes:
    """A PNG of 100 million pixels in a few kilobytes."""
    file = io.BytesIO()
    Image.new("1", (10_000, 10_000)).save(file, "PNG")
    return file.getvalue()


def unusual_method() -> bytes:
    data = bytearray(packed(*GOOD))
    for signature, place in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        at = data.find(signature)
        while at >= 0:
            struct.pack_into("<H", data, at + place, 99)
            at = data.find(signature, at + 4)
    return bytes(data)


def damaged(method: int) -> bytes:
    """A table whose packed bytes were changed."""
    archive = bytearray(packed(("a.csv", b"text,label\n" * 30), method=method))
    start = archive.find(b"a.csv") + len("a.csv")
    archive[start + 6 : start + 40] = bytes(range(100, 134))
    return bytes(archive)


HOSTILE: dict[str, tuple[str, Callable[[], bytes], str]] = {
    "path out of the folder": ("a.zip", lambda: packed(*GOOD, ("../../evil.png", png())), "leaves the archive"),
    "path out, deep inside": ("a.zip", lambda: packed(("rose/../../evil.png", png())), "leaves the archive"),
    "absolute path": ("a.zip", lambda: packed(("/etc/evil.png", png())), "absolute path"),
    "drive letter": ("a.zip", lambda: packed(("C:/evil.png", png())), "drive"),
    "backslashes": ("a.zip", lambda: packed(("rose\\..\\evil.png", png())), "backslash"),
    "symbolic link": ("a.zip", lambda: entry("rose/1.png", b"/etc/passwd", external_attr=(stat.S_IFLNK | 0o777) << 16, create_system=3), "symbolic link"),
    "named pipe": ("a.zip", lambda: entry("rose/1.png", external_attr=(stat.S_IFIFO | 0o666) << 16, create_system=3), "pipe"),
    "device": ("a.zip", lambda: entry("rose/1.png", external_attr=(stat.S_IFCHR | 0o666) << 16, create_system=3), "device"),
    "bomb by ratio": ("a.zip", lambda: packed(("a.csv", b"0" * 3_900_000)), "zip bomb"),
    "bomb by size": ("a.zip", lambda: packed(*((f"{n}.csv", b"a,b\n" * 250_000) for n in range(6))), "unpacks to more"),
    "bomb by count": ("a.zip", lambda: packed(*((f"rose/{n}.png", png(4)) for n in range(61))), "61 files"),
    "bomb by a lying size": ("a.zip", lying_size, "larger than the archive says|damaged"),
    "bomb by overlap": ("a.zip", overlapping, "overlap|Overlap"),
    "archive in the archive": ("a.zip", lambda: packed(*GOOD, ("rose/inner.zip", packed(*GOOD))), "archive inside"),
    "encrypted": ("a.zip", lambda: flagged(packed(*GOOD), 1), "encrypted"),
    "damaged content": ("a.zip", lambda: patched(packed(*GOOD, method=zipfile.ZIP_STORED), b"IHDR", b"IHDX"), "damaged"),
    "cut off": ("a.zip", lambda: packed(*GOOD)[:200], "damaged or no zip"),
    "program named zip": ("a.zip", lambda: b"MZ\x90\x00" + bytes(500), "damaged or no zip"),
    "same name twice": ("a.zip", lambda: packed(("rose/1.png", png()), ("Rose/1.PNG", png())), "twice"),
    "file that is a folder too": ("a.zip", lambda: packed(("rose.png", png()), ("rose.png/1.png", png())), "both a file and a folder"),
    "control character": ("a.zip", lambda: packed(("rose/a\nb.png", png())), "control"),
    "name that is too long": ("a.zip", lambda: packed((f"rose/{'x' * 160}.png", png())), "above 150 characters"),
    "name of too many bytes": ("a.zip", lambda: packed((f"rose/{chr(0x82B1) * 90}.png", png())), "255 bytes"),
    "damaged bz2": ("a.zip", lambda: damaged(zipfile.ZIP_BZIP2), "damaged"),
    "damaged lzma": ("a.zip", lambda: damaged(zipfile.ZIP_LZMA), "damaged"),
    "folders without end": ("a.zip", lambda: packed(("a/" * 9 + "1.png", png())), "folders deep"),
    "reserved name": ("a.zip", lambda: packed(("rose/con.png", png())), "reserve"),
    "pickle": ("a.zip", lambda: packed(*GOOD, ("model.pkl", b"\x80\x04K\x01.")), "neither a picture nor a table"),
    "script": ("a.zip", lambda: packed(*GOOD, ("run.py", b"import os")), "neither a picture nor a table"),
    "page named as a picture": ("a.zip", lambda: packed(*GOOD, ("rose/2.png", b"<script>alert(1)</script>")), "it is none"),
    "picture that fills memory": ("a.zip", lambda: packed(*GOOD, ("rose/2.png", huge_picture())), "million pixels"),
    "unusual packing": ("a.zip", unusual_method, "unusual method"),
    "nothing of use": ("a.zip", lambda: packed((".DS_Store", b"x"), ("README.txt", b"x")), "no picture and no table"),
    "too large": ("a.zip", lambda: bytes(3_000_000), "larger than 2 MB"),
    "empty": ("a.csv", lambda: b"", "empty"),
    "pickle as an upload": ("weights.pkl", lambda: b"\x80\x04K\x01.", "not taken"),
    "binary named csv": ("a.csv", lambda: b"text,label\n\0\0\0,a\n", "binary"),
    "not utf-8": ("a.csv", lambda: b"text,label\ncaf\xe9,a\n", "UTF-8"),
    "rows without end": ("a.csv", lambda: b"text,label\n" + b"hello,a\n" * 600, "500 rows"),
    "columns without end": ("a.csv", lambda: b",".join([b"c"] * 20) + b"\n" + b"x\n", "20 columns"),
    "field without end": ("a.csv", lambda: b'text,label\n"' + b"x" * 5000 + b'",a\n', "2,000 characters"),
    "nesting without end": ("a.jsonl", lambda: b"[" * 1900 + b"\n", "not a JSON object"),
    "line without end": ("a.jsonl", lambda: b'{"text": "' + b"x" * 5000 + b'"}\n', "shorten"),
}  # fmt: skip


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_upload_is_refused_with_one_sentence(
    kind: str, idle: Callable[..., TestClient], tmp_path: Path
) -> None:
    name, made, said = HOSTILE[kind]
    answer = idle().post("/api/tasks", params={"name": name}, content=made())
    assert answer.status_code in {413, 422}, answer.text
    message = answer.json()["error"]
    assert "\n" not in message
    assert str(tmp_path) not in message
    assert any(part in message for part in said.split("|")), message
    left = [file for file in (tmp_path / "studio" / "sessions").rglob("*") if file.is_file() and file.name != "used"]
    assert left == []


def test_a_length_that_lies_does_not_help(idle: Callable[..., TestClient]) -> None:
    pieces = (bytes(500_000) for _ in range(6))
    answer = idle().post("/api/tasks", params={"name": "a.zip"}, content=pieces)
    assert answer.status_code == 413


def test_a_picture_to_predict_on_is_checked_too(idle: Callable[..., TestClient]) -> None:
    client = idle()
    assert "it is none" in client.post("/api/pictures", content=b"<svg onload='x'/>").json()["error"]
    assert "million pixels" in client.post("/api/pictures", content=huge_picture()).json()["error"]


def test_the_name_of_an_upload_is_only_a_name(idle: Callable[..., TestClient], tmp_path: Path) -> None:
    from regraft.studio.uploads import clean_stem

    assert clean_stem("../../etc/passwd.csv") == "passwd"
    assert clean_stem("a<script>.zip") == "a-script"
    assert clean_stem("...") == "upload"
