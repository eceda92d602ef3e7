"""Long work on disk: what was asked, how far it is, what came out. A page that is loaded again finds all of it."""

import json
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

State = Literal["waiting", "running", "done", "failed", "cancelled"]
LIVE: tuple[State, ...] = ("waiting", "running")

JOB_FILE = "job.json"
RESULT_FILE = "result.json"


@dataclass(frozen=True)
class Job:
    """One long piece of work of one visitor.

    Attributes:
        name: Of its folder.
        verb: What is done: `fit`, `compare`, `recommend` or `probe`.
        title: For a person.
        shown: What of the request a page shows again.
        arguments: What the worker gets.
        state: How far it is.
        created: Seconds since 1970.
        started: The same; 0.0 before.
        finished: The same; 0.0 before.
        message: Why it failed; else empty.
    """

    name: str
    verb: str
    title: str
    shown: dict[str, Any]
    arguments: dict[str, Any]
    state: State = "waiting"
    created: float = 0.0
    started: float = 0.0
    finished: float = 0.0
    message: str = ""

    def told(self) -> dict[str, Any]:
        """What a page may know: no path of this machine is in it."""
        told = asdict(self)
        del told["arguments"]
        now = time.time()
        told["seconds"] = (self.finished or now) - self.started if self.started else 0.0
        return told


def write_job(folder: Path, job: Job) -> None:
    """Keep a job's state; whole or not at all."""
    draft = folder / f".{JOB_FILE}.draft"
    draft.write_text(json.dumps(asdict(job), ensure_ascii=False), encoding="utf-8")
    draft.replace(folder / JOB_FILE)


def read_job(folder: Path) -> Job | None:
    """A job's state; None where the folder holds none."""
    try:
        return Job(**json.loads((folder / JOB_FILE).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def jobs_in(folder: Path) -> list[Job]:
    """All jobs below a session's folder, the newest first."""
    found = [job for place in folder.glob("*") if (job := read_job(place)) is not None]
    return sorted(found, key=lambda job: job.created, reverse=True)


def moved(folder: Path, job: Job, state: State, message: str = "") -> Job:
    """The job in another state, kept on disk."""
    now = time.time()
    started = now if state == "running" else job.started
    finished = 0.0 if state in LIVE else now
    job = replace(job, state=state, started=started, finished=finished, message=message)
    write_job(folder, job)
    return job


def write_result(folder: Path, result: Any) -> None:
    """Keep what came out."""
    draft = folder / f".{RESULT_FILE}.draft"
    draft.write_text(json.dumps(result, ensure_ascii=False), encoding="utf-8")
    draft.replace(folder / RESULT_FILE)


def read_result(folder: Path) -> Any:
    """What came out; None before that."""
    try:
        return json.loads((folder / RESULT_FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
