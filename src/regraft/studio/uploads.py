"""A visitor's data: received in pieces, unpacked, checked, and kept as a task of that visitor alone."""

import json
import re
import secrets
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from regraft.studio.limits import Limits, size_said
from regraft.studio.refusals import RefusedUploadError
from regraft.studio.sessions import Session
from regraft.studio.tables import check_table
from regraft.studio.unpacking import PICTURES, TABLES, check_picture, unpack, unwrapped

TASK_FILE = "task.json"
TAKEN = (".zip", *sorted(TABLES))
ODD = re.compile(r"[^\w.-]+")
MOST_STEM = 60


@dataclass(frozen=True)
class TaskPlace:
    """A task as the server knows it.

    Attributes:
        name: In addresses.
        title: For a person.
        path: Of the data.
        thumbs: Where its thumbnails are.
        own: Whether the visitor uploaded it.
    """

    name: str
    title: str
    path: Path
    thumbs: Path
    own: bool


async def receive(stream: AsyncIterator[bytes], declared: str | None, into: Path, most: int) -> Path:
    """Write a body to a new file below `into`, counted while it comes.

    Raises:
        RefusedUploadError: It is larger than `most` bytes, or empty.
    """
    too_large = f"the upload is larger than {size_said(most)}; send less"
    if declared is not None and declared.isdecimal() and int(declared) > most:
        raise RefusedUploadError(too_large, 413)
    into.mkdir(parents=True, exist_ok=True)
    file = into / f"upload-{secrets.token_hex(8)}"
    written = 0
    try:
        with file.open("xb") as opened:
            async for piece in stream:
                written += len(piece)
                if written > most:
                    raise RefusedUploadError(too_large, 413)
                opened.write(piece)
        if not written:
            raise RefusedUploadError("the upload is empty; choose a file with data")
    except BaseException:
        file.unlink(missing_ok=True)
        raise
    return file


def keep(session: Session, received: Path, name: str, limits: Limits) -> TaskPlace:
    """Turn a received file into a task's folder; nothing is left behind where it is refused.

    Args:
        session: Whose.
        received: The file; it may be moved.
        name: What the visitor calls it; only its ending and a cleaned stem are used.
        limits: What it must keep to.

    Raises:
        RefusedUploadError: It is not what its name says, or beyond a limit.
    """
    suffix, stem = Path(name).suffix.lower(), clean_stem(name)
    if suffix not in TAKEN:
        raise RefusedUploadError(f"{stem}{suffix[:10]}: this kind of file is not taken; send one of {', '.join(TAKEN)}")
    if len(list(session.tasks.glob("*"))) >= limits.tasks:
        raise RefusedUploadError(f"this session has {limits.tasks} tasks already; remove one", 409)
    folder = session.new(session.tasks)
    try:
        data = folder / "data" / stem
        if suffix == ".zip":
            data.mkdir(parents=True)
            unpack(received, data, limits)
            data = _settled(data, stem, limits)
        else:
            data.parent.mkdir()
            data = data.with_name(f"{stem}{suffix}")
            received.replace(data)
            check_table(data, data.name, limits)
        told = {"title": stem, "path": str(data.relative_to(folder))}
        (folder / TASK_FILE).write_text(json.dumps(told), encoding="utf-8")
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return own_task(session, folder.name)


def clean_stem(name: str) -> str:
    """A name's stem with letters, digits, dot, dash and underscore only."""
    stem = ODD.sub("-", Path(name.replace("\\", "/")).name).rsplit(".", 1)[0].strip("-.")
    return stem[:MOST_STEM] or "upload"


def _settled(data: Path, stem: str, limits: Limits) -> Path:
    """The folder that holds the data of an archive, or its only table."""
    inner = unwrapped(data)
    if inner != data:
        moved = data.with_name(f"{stem}-data")
        inner.rename(moved)
        shutil.rmtree(data, ignore_errors=True)
        moved.rename(data)
    tables = [file for file in data.rglob("*") if file.suffix.lower() in TABLES]
    for file in tables:
        check_table(file, file.name, limits)
    if len(tables) == 1 and not any(file.suffix.lower() in PICTURES for file in data.rglob("*")):
        return tables[0]
    return data


def own_task(session: Session, name: str) -> TaskPlace:
    """A task that this visitor uploaded.

    Raises:
        RefusedError: This visitor has none such.
    """
    folder = session.find(session.tasks, name)
    told = json.loads((folder / TASK_FILE).read_text(encoding="utf-8"))
    return TaskPlace(name, told["title"], folder / told["path"], folder / "thumbs", own=True)


def own_tasks(session: Session) -> list[TaskPlace]:
    """All tasks that this visitor uploaded, the newest last."""
    folders = [folder for folder in session.tasks.glob("*") if (folder / TASK_FILE).is_file()]
    return [own_task(session, folder.name) for folder in sorted(folders, key=lambda one: one.stat().st_mtime)]


def keep_picture(received: Path, limits: Limits) -> Path:
    """A picture to predict on, checked by its header.

    Raises:
        RefusedUploadError: It is no picture, or too large to decode.
    """
    try:
        check_picture(received, "the upload", limits)
    except RefusedUploadError:
        received.unlink(missing_ok=True)
        raise
    return received
