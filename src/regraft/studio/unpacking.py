"""A visitor's archive on disk, unpacked only after every name and size in it was found harmless.

An archive is untrusted: its names may point out of the folder, its sizes may lie, and its entries may be links,
devices or other archives. Nothing of it is written before the whole directory was checked, and what is written is
counted while it comes.
"""

import io
import lzma
import stat
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from PIL import Image, UnidentifiedImageError

from regraft.studio.limits import Limits, size_said
from regraft.studio.refusals import RefusedUploadError

PICTURES = {".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm", ".jfif"}
FORMATS = ("JPEG", "PNG", "BMP", "GIF", "WEBP", "TIFF", "PPM")
TABLES = {".csv", ".tsv", ".jsonl"}
ARCHIVES = {".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar", ".zst", ".jar", ".whl"}
IGNORED_NAMES = {"__macosx", "thumbs.db", "desktop.ini"}
IGNORED_SUFFIXES = {".txt", ".md"}
RESERVED = {"con", "prn", "aux", "nul", *(f"{name}{digit}" for name in ("com", "lpt") for digit in range(1, 10))}
CHUNK = 1 << 18
MOST_NAME_BYTES = 255  # of file systems
SMALL = 1 << 20  # below this many bytes no ratio harms


def unpack(archive: Path, into: Path, limits: Limits) -> None:
    """Write the pictures and tables of a zip archive below an existing folder.

    Raises:
        RefusedUploadError: Anything in it is not a picture or a table in plain folders; `into` may hold a part of it.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            entries = _checked(opened, archive.stat().st_size, limits)
            budget = limits.unpacked_bytes
            for entry, place in entries:
                budget -= _write(opened, entry, into / place, budget)
                if place.suffix.lower() in PICTURES:
                    check_picture(into / place, str(place), limits)
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError) as error:
        raise RefusedUploadError(f"the archive is damaged or no zip file ({error}); pack it again") from error
    except OSError as error:
        if error.errno is not None:  # of the disk; what bz2 finds damaged has no number
            raise
        raise RefusedUploadError(f"the archive is damaged ({error}); pack it again") from error
    except NotImplementedError as error:
        raise RefusedUploadError("the archive is packed by an unusual method; pack it again with deflate") from error


def _checked(opened: zipfile.ZipFile, size: int, limits: Limits) -> list[tuple[zipfile.ZipInfo, PurePosixPath]]:
    """The entries worth writing, with where they go."""
    infos = opened.infolist()
    if len(infos) > limits.files:
        raise RefusedUploadError(f"the archive holds {len(infos):,} files; at most {limits.files:,} are taken")
    if sum(info.compress_size for info in infos) > size:
        raise RefusedUploadError(
            "the archive's entries overlap, which unpacks one piece of it many times; pack it again"
        )
    if sum(info.file_size for info in infos) > limits.unpacked_bytes:
        raise RefusedUploadError(f"the archive unpacks to more than {size_said(limits.unpacked_bytes)}; send less")
    kept: list[tuple[zipfile.ZipInfo, PurePosixPath]] = []
    seen: dict[str, str] = {}
    for info in infos:
        place = safe_place(info.orig_filename, limits)
        _check_kind(info, place)
        if info.is_dir() or ignored(place):
            continue
        _check_content(info, place, limits)
        folded = str(place).casefold()
        if folded in seen:
            raise RefusedUploadError(f"{place}: the archive holds this name twice; rename one of them")
        seen[folded] = folded
        kept.append((info, place))
    for folded in seen:
        above = next((str(part) for part in PurePosixPath(folded).parents if str(part) in seen), None)
        if above is not None:
            raise RefusedUploadError(f"{above}: both a file and a folder in the archive; rename one of them")
    if not kept:
        raise RefusedUploadError(
            "the archive holds no picture and no table; pack class folders of pictures, or a CSV file"
        )
    return kept


def safe_place(name: str, limits: Limits) -> PurePosixPath:
    """An entry's name as a relative path that stays inside, whatever system reads it.

    Raises:
        RefusedUploadError: It does not.
    """
    shown = ascii(name)[1:81].removesuffix("'")
    if any(ord(letter) < 32 or ord(letter) == 127 for letter in name):
        raise RefusedUploadError(f"{shown}: a name with control characters; rename it")
    if "\\" in name:
        raise RefusedUploadError(f"{shown}: a name with a backslash; pack with / between folders")
    if name.startswith("/"):
        raise RefusedUploadError(f"{shown}: an absolute path; pack the folder with relative names")
    if ":" in name:
        raise RefusedUploadError(f"{shown}: a name with a drive or a colon; rename it")
    parts = [part for part in name.split("/") if part not in {"", "."}]
    if ".." in parts:
        raise RefusedUploadError(f"{shown}: a path that leaves the archive's folder; pack it without ..")
    long = any(len(part) > limits.name_characters or len(part.encode()) > MOST_NAME_BYTES for part in parts)
    if len(parts) > limits.depth or long:
        raise RefusedUploadError(
            f"{shown}: more than {limits.depth} folders deep, or a name above {limits.name_characters} characters or "
            f"{MOST_NAME_BYTES} bytes"
        )
    if any(part.split(".")[0].casefold() in RESERVED or part != part.rstrip(". ") for part in parts):
        raise RefusedUploadError(f"{shown}: a name that some systems reserve; rename it")
    return PurePosixPath(*parts)


def ignored(place: PurePosixPath) -> bool:
    """What packers and people leave beside data: notes, thumbnails, hidden files."""
    hidden = any(part.startswith(".") or part.casefold() in IGNORED_NAMES for part in place.parts)
    return hidden or place.suffix.lower() in IGNORED_SUFFIXES


def _check_kind(info: zipfile.ZipInfo, place: PurePosixPath) -> None:
    """Only plain files and folders; a link could point anywhere."""
    mode = info.external_attr >> 16
    kind = stat.S_IFMT(mode)
    if kind == stat.S_IFLNK:
        raise RefusedUploadError(f"{place}: a symbolic link; pack the file itself")
    if kind not in {0, stat.S_IFREG, stat.S_IFDIR}:
        raise RefusedUploadError(f"{place}: a device, pipe or socket; pack plain files only")
    if info.flag_bits & 0x1:
        raise RefusedUploadError(f"{place}: encrypted; pack without a password")


def _check_content(info: zipfile.ZipInfo, place: PurePosixPath, limits: Limits) -> None:
    """A picture or a table of a size that its packed size explains."""
    suffix = place.suffix.lower()
    if suffix in ARCHIVES:
        raise RefusedUploadError(f"{place}: an archive inside the archive; unpack it first")
    if suffix not in PICTURES | TABLES:
        raise RefusedUploadError(f"{place}: neither a picture nor a table ({', '.join(sorted(TABLES))}); leave it out")
    if suffix in PICTURES and info.file_size > limits.picture_bytes:
        raise RefusedUploadError(f"{place}: a picture of more than {size_said(limits.picture_bytes)}; scale it down")
    if info.file_size > SMALL and info.file_size > limits.ratio * max(info.compress_size, 1):
        raise RefusedUploadError(f"{place}: unpacks to more than {limits.ratio} times its size, as a zip bomb does")


def _write(opened: zipfile.ZipFile, info: zipfile.ZipInfo, file: Path, budget: int) -> int:
    """Write one entry and count what really comes; the declared size may lie."""
    file.parent.mkdir(parents=True, exist_ok=True)
    most = min(info.file_size, budget)
    written = 0
    with opened.open(info) as source, file.open("xb") as target:
        while chunk := source.read(CHUNK):
            written += len(chunk)
            if written > most:
                raise RefusedUploadError(f"{info.filename}: larger than the archive says; pack it again")
            target.write(chunk)
    return written


def check_picture(file: Path, said: str, limits: Limits) -> None:
    """Refuse what is no picture by its header, or would fill memory when decoded; nothing is decoded.

    Raises:
        RefusedUploadError: It is one of these.
    """
    try:
        with Image.open(io.BytesIO(file.read_bytes()), formats=FORMATS) as picture:
            width, height = picture.size
    except Image.DecompressionBombError as error:
        raise RefusedUploadError(_too_large(said, limits)) from error
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        raise RefusedUploadError(f"{said}: named as a picture, but it is none; leave it out") from error
    if width * height > limits.picture_pixels:
        raise RefusedUploadError(_too_large(said, limits))


def _too_large(said: str, limits: Limits) -> str:
    return f"{said}: more than {limits.picture_pixels // 1_000_000} million pixels; scale it down"


def unwrapped(folder: Path) -> Path:
    """The folder itself, or the one inside that an archiver wrapped around everything."""
    entries = [entry for entry in folder.iterdir() if not entry.name.startswith(".")]
    if len(entries) == 1 and entries[0].is_dir() and _wraps(entries[0]):
        return unwrapped(entries[0])
    return folder


def _wraps(folder: Path) -> bool:
    """Whether a lone folder stands around class folders or tables, and is no class itself."""
    entries = list(folder.iterdir())
    return any(entry.is_dir() for entry in entries) or any(entry.suffix.lower() in TABLES for entry in entries)
