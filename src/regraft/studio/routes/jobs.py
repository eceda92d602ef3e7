"""`/api/jobs`: long work is put in line, watched, cancelled, removed, and its results fetched."""

import asyncio
import secrets
import shutil
import time
import zipfile
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Body
from fastapi.responses import FileResponse

from regraft.studio.events import events_after
from regraft.studio.jobs import Job, jobs_in, read_result
from regraft.studio.refusals import RefusedError
from regraft.studio.requests import AskedFit, AskedJob, AskedScenario, OfTask
from regraft.studio.routes import TheSession, TheStudio
from regraft.studio.sessions import Session
from regraft.studio.studio import Studio
from regraft.studio.uploads import clean_stem

router = APIRouter(prefix="/api/jobs")

# A report is a page of our own making, but it is shown on its own: no script, nothing from elsewhere.
REPORT_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:"


@router.get("")
async def listed(studio: TheStudio, session: TheSession) -> list[dict[str, Any]]:
    """All of the visitor's jobs, the newest first, with their results in short."""
    found = await asyncio.to_thread(jobs_in, session.jobs)
    return [_told(studio, session, job) for job in found]


def _told(studio: Studio, session: Session, job: Job) -> dict[str, Any]:
    folder = session.jobs / job.name
    return {**job.told(), "before": studio.runner.before(folder), "model": (folder / "model" / "model.json").exists()}


@router.post("", status_code=201)
async def asked(studio: TheStudio, session: TheSession, wanted: AskedJob = Body()) -> dict[str, Any]:  # noqa: B008
    """Put a job in line."""
    studio.check_line(session)
    await asyncio.to_thread(studio.sessions.check_room, session, 0)
    if not isinstance(wanted, AskedScenario):
        await _checked(studio, session, wanted)
    folder = session.new(session.jobs)
    arguments = {"folder": str(folder), **studio.where, **_arguments(studio, session, wanted)}
    job = Job(
        name=folder.name,
        verb=wanted.verb,
        title=_title(studio, session, wanted),
        shown={**wanted.model_dump(), "task_title": _task_title(studio, session, wanted)},
        arguments=arguments,
        created=time.time(),
    )
    return _told(studio, session, await studio.runner.add(session, job))


async def _checked(studio: Studio, session: Session, wanted: OfTask) -> None:
    """Refuse a task that is not the visitor's and a backbone that is not offered."""
    studio.task(session, wanted.task)
    await studio.check_backbone(wanted.backbone)


def _arguments(studio: Studio, session: Session, wanted: OfTask | AskedScenario) -> dict[str, Any]:
    """What the verb gets."""
    if isinstance(wanted, AskedScenario):
        return {"number": wanted.number, "answer": wanted.answer, "budget_seconds": wanted.budget_seconds}
    arguments = wanted.model_dump(exclude={"verb", "task"})
    arguments["path"] = str(studio.task(session, wanted.task).path)
    if isinstance(wanted, AskedFit) and wanted.source is not None:
        arguments["source"] = str(studio.task(session, wanted.source).path)
    return arguments


def _task_title(studio: Studio, session: Session, wanted: OfTask | AskedScenario) -> str:
    return f"scenario {wanted.number}" if isinstance(wanted, AskedScenario) else studio.task(session, wanted.task).title


def _title(studio: Studio, session: Session, wanted: OfTask | AskedScenario) -> str:
    said = {"compare": "comparison", "recommend": "recommendation", "probe": "stage probes", "scenario": "measuring"}
    what = wanted.strategy if isinstance(wanted, AskedFit) else said[wanted.verb]
    return f"{what} on {_task_title(studio, session, wanted)}"


@router.get("/{name}")
async def one(name: str, studio: TheStudio, session: TheSession, after: int = 0) -> dict[str, Any]:
    """A job, its events from a place on, and its result once there is one."""
    folder, job = studio.job(session, name)
    events, place = await asyncio.to_thread(events_after, folder, after)
    result = await asyncio.to_thread(read_result, folder) if job.state == "done" else None
    return {"job": _told(studio, session, job), "events": events, "after": place, "result": result}


@router.post("/{name}/cancel")
async def cancel(name: str, studio: TheStudio, session: TheSession) -> dict[str, Any]:
    """Stop a job."""
    folder, _ = studio.job(session, name)
    await studio.runner.cancel(folder)
    return _told(studio, session, studio.job(session, name)[1])


@router.delete("/{name}", status_code=204)
async def remove(name: str, studio: TheStudio, session: TheSession) -> None:
    """Stop a job and forget everything of it."""
    folder = session.find(session.jobs, name)
    await studio.runner.cancel(folder)
    await asyncio.to_thread(shutil.rmtree, folder)


@router.get("/{name}/report.html")
async def report(name: str, studio: TheStudio, session: TheSession) -> FileResponse:
    """The report of a fit, a comparison or a hierarchy."""
    folder, job = studio.job(session, name)
    for file in (folder / "report.html", folder / "comparison" / "report.html", folder / "hierarchy" / "report.html"):
        if file.is_file():
            headers = {"content-security-policy": REPORT_POLICY}
            shown = f"{clean_stem(job.title + '.')}-report.html"
            return FileResponse(
                file, media_type="text/html", filename=shown, content_disposition_type="inline", headers=headers
            )
    raise RefusedError("this entry has no report yet", 404)


@router.get("/{name}/model.zip")
async def model(name: str, studio: TheStudio, session: TheSession) -> FileResponse:
    """The folder that `regraft predict` takes, packed."""
    folder, job = studio.job(session, name)
    if job.state != "done" or not (folder / "model" / "model.json").is_file():
        raise RefusedError("this entry has no model yet", 404)
    stem = clean_stem(job.title + ".")
    packed = await asyncio.to_thread(_packed, folder, stem)
    return FileResponse(packed, media_type="application/zip", filename=f"{stem}.zip")


def _packed(folder: Path, stem: str) -> Path:
    """The model's files in one archive, made once; weights do not compress, so they are stored."""
    file = folder / "model.zip"
    if not file.exists():
        draft = folder / f".model-{secrets.token_hex(4)}.draft"
        with zipfile.ZipFile(draft, "w", zipfile.ZIP_STORED) as packed:
            for part in sorted((folder / "model").rglob("*")):
                packed.write(part, Path(stem) / part.relative_to(folder / "model"))
        draft.replace(file)
    return file
