"""A visitor's own text or picture: what a trained model says of it, and what each stage of a backbone makes of it."""

import asyncio
import secrets
from typing import Any

from fastapi import APIRouter, Request

from regraft.studio.refusals import RefusedError
from regraft.studio.requests import AskedLook, AskedPrediction
from regraft.studio.routes import TheSession, TheStudio
from regraft.studio.sessions import NAME, Session
from regraft.studio.studio import Studio
from regraft.studio.uploads import keep_picture, receive

router = APIRouter(prefix="/api")


@router.post("/pictures", status_code=201)
async def send_picture(request: Request, studio: TheStudio, session: TheSession) -> dict[str, str]:
    """Keep a picture to predict on; the body is the file itself."""
    limits = studio.config.limits
    await asyncio.to_thread(studio.sessions.check_room, session, 0)
    session.touch()
    length = request.headers.get("content-length")
    received = await receive(request.stream(), length, session.folder / "pictures", limits.picture_bytes)
    kept = await asyncio.to_thread(keep_picture, received, limits)
    name = secrets.token_hex(8)
    kept.replace(kept.with_name(name))
    return {"name": name}


@router.post("/jobs/{name}/predict")
async def predict(name: str, wanted: AskedPrediction, studio: TheStudio, session: TheSession) -> dict[str, Any]:
    """A prediction with what it rests on."""
    folder, job = studio.job(session, name)
    if job.state != "done" or not (folder / "model" / "model.json").is_file():
        raise RefusedError("this entry has no model yet; train one in the lab", 404)
    given = _given(studio, session, wanted)
    arguments = {"model": str(folder / "model"), "given": given, "label": wanted.label}
    found: dict[str, Any] = await studio.desk.ask("predict", arguments)
    return found


@router.post("/tasks/{name}/look")
async def look(name: str, wanted: AskedLook, studio: TheStudio, session: TheSession) -> dict[str, Any]:
    """A picture or text seen stage by stage by a backbone, with probes that learnt from a task."""
    task = studio.task(session, name)
    backbone = await studio.check_backbone(wanted.backbone)
    arguments = {"path": str(task.path), "backbone": backbone, "given": _given(studio, session, wanted), **studio.where}
    found: dict[str, Any] = await studio.desk.ask("look", arguments)
    return found


def _given(studio: Studio, session: Session, wanted: AskedPrediction | AskedLook) -> str:
    """The text, or the path of the picture that was sent."""
    if wanted.picture:
        return _picture_path(session, wanted.picture)
    return _text(wanted.text, studio.config.limits.text_characters)


def _picture_path(session: Session, name: str) -> str:
    """Where a picture that was sent lies.

    Raises:
        RefusedError: There is none such in this session.
    """
    file = session.folder / "pictures" / name
    if not NAME.match(name) or not file.is_file():
        raise RefusedError("this picture is no longer here; choose it again", 404)
    return str(file)


def _text(text: str, most: int) -> str:
    """The text, if it is one.

    Raises:
        RefusedError: It is empty or too long.
    """
    if not text.strip():
        raise RefusedError("there is no text; write one, or choose a picture", 422)
    if len(text) > most:
        raise RefusedError(f"the text has {len(text):,} characters; at most {most:,} are taken", 422)
    return text
