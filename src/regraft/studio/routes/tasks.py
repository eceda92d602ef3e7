"""`/api/tasks`: the shared ones, a visitor's own, uploads, inspections and surveys."""

import asyncio
import shutil
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse

from regraft.studio.limits import size_said
from regraft.studio.refusals import RefusedError, RefusedUploadError
from regraft.studio.routes import TheSession, TheStudio
from regraft.studio.sessions import Session
from regraft.studio.studio import Studio
from regraft.studio.uploads import TaskPlace, keep, receive

router = APIRouter(prefix="/api")


@router.get("/about")
async def about(studio: TheStudio) -> dict[str, Any]:
    """What a page tells of limits."""
    limits = studio.config.limits
    return {
        "upload": size_said(limits.upload_bytes),
        "picture": size_said(limits.picture_bytes),
        "text_characters": limits.text_characters,
        "kept_days": limits.kept_days,
    }


@router.get("/tasks")
async def tasks(studio: TheStudio, session: TheSession) -> list[dict[str, Any]]:
    """What can be learnt here."""
    return [{"name": one.name, "title": one.title, "own": one.own} for one in studio.tasks(session)]


@router.post("/tasks", status_code=201)
async def upload(request: Request, studio: TheStudio, session: TheSession, name: str) -> dict[str, Any]:
    """Take a zip of class folders or a table; the body is the file itself."""
    limits = studio.config.limits
    length = request.headers.get("content-length")
    await asyncio.to_thread(studio.sessions.check_room, session, int(length) if length and length.isdecimal() else 0)
    session.touch()
    received = await receive(request.stream(), length, session.folder, limits.upload_bytes)
    try:
        task = await asyncio.to_thread(keep, session, received, name, limits)
    finally:
        received.unlink(missing_ok=True)
    try:
        await asyncio.to_thread(studio.sessions.check_room, session, 0)
        found = await _usable(studio, task)
    except BaseException:
        shutil.rmtree(session.tasks / task.name, ignore_errors=True)
        raise
    return {"name": task.name, "title": task.title, "own": True, "inspection": found}


async def _usable(studio: Studio, task: TaskPlace) -> dict[str, Any]:
    """The inspection of data that something can be learnt from.

    Raises:
        RefusedUploadError: Nothing can.
    """
    try:
        found = await studio.inspection(task)
    except RefusedError as error:
        raise RefusedUploadError(_shortened(str(error), task)) from error
    if not found["usable"]:
        worst = next((one["message"] for one in found["problems"] if one["severity"] == "error"), "")
        classes = len(found["classes"])
        raise RefusedUploadError(
            f"{task.title}: nothing to learn from: {worst or f'{classes} class with samples; at least two are needed'}"
        )
    return found


def _shortened(message: str, task: TaskPlace) -> str:
    """A message without this machine's folders."""
    for path in (task.path, *task.path.parents[:3]):
        message = message.replace(f"{path}/", "").replace(str(path), task.title)
    return message


@router.get("/tasks/{name}")
async def inspection(name: str, studio: TheStudio, session: TheSession) -> dict[str, Any]:
    """What a task is and what is wrong with it."""
    task = studio.task(session, name)
    return {"name": task.name, "title": task.title, "own": task.own, **await studio.inspection(task)}


@router.delete("/tasks/{name}", status_code=204)
async def remove(name: str, session: TheSession) -> None:
    """Forget a task that the visitor uploaded; runs made with it stay."""
    await asyncio.to_thread(shutil.rmtree, session.find(session.tasks, name))


@router.get("/tasks/{name}/thumbs/{number}")
async def thumb(name: str, number: int, studio: TheStudio, session: TheSession) -> FileResponse:
    """One small picture."""
    return picture(studio.task(session, name).thumbs / f"{number}.png")


def picture(file: Path) -> FileResponse:
    """A PNG that a worker wrote.

    Raises:
        RefusedError: It is not there.
    """
    if not file.is_file():
        raise RefusedError("there is no such picture", 404)
    return FileResponse(file, media_type="image/png", headers={"cache-control": "private, max-age=3600"})


@router.get("/tasks/{name}/survey")
async def survey(name: str, backbone: str, studio: TheStudio, session: TheSession) -> dict[str, Any]:
    """The stages of a backbone with every plan for this task."""
    return await surveyed(studio, session, name, backbone)


async def surveyed(studio: Studio, session: Session, name: str, backbone: str) -> dict[str, Any]:
    """The survey of a task and a backbone, computed once."""
    task = studio.task(session, name)
    await studio.check_backbone(backbone)
    fingerprint = (await studio.inspection(task))["fingerprint"]
    found: dict[str, Any] = await studio.desk.remembered(
        "survey", {"path": str(task.path), "backbone": backbone, **studio.where}, of=fingerprint
    )
    return found


@router.get("/backbones")
async def backbones(studio: TheStudio) -> list[dict[str, Any]]:
    """What can be grafted on."""
    return await studio.backbones()
