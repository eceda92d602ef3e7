"""The line of long jobs: a few workers, first come first served, each job cancelled by ending its worker."""

import asyncio
import contextlib
import logging
import shutil
import time
from collections import deque
from pathlib import Path

from regraft.studio.jobs import LIVE, Job, jobs_in, moved, read_job, write_job, write_result
from regraft.studio.processes import Worker, WorkerLost
from regraft.studio.sessions import Session, Sessions
from regraft.studio.wording import without_paths

log = logging.getLogger("regraft.studio")

HALF_MADE = "model"  # what a cancelled fit leaves


class Runner:
    """Runs jobs one after another on each of its workers."""

    def __init__(self, workers: int) -> None:
        self._workers = [Worker(gentle=True) for _ in range(workers)]
        self._line: deque[Path] = deque()
        self._running: dict[Path, Worker] = {}
        self._news = asyncio.Condition()
        self._loops: list[asyncio.Task[None]] = []

    async def start(self, sessions: Sessions) -> None:
        """Say of what a former server left unfinished that it is, and begin to work."""
        for session in sessions.all():
            for job in jobs_in(session.jobs):
                if job.state in LIVE:
                    moved(session.jobs / job.name, job, "failed", "the studio was stopped meanwhile; start it again")
        for worker in self._workers:
            self._loops.append(asyncio.create_task(self._serve(worker)))

    async def warm(self) -> None:
        """Begin loading libraries in every worker."""
        for worker in self._workers:
            await worker.start()

    async def end(self) -> None:
        """Stop working; what runs is cancelled."""
        for loop in self._loops:
            loop.cancel()
        await asyncio.gather(*self._loops, return_exceptions=True)
        await asyncio.gather(*(worker.end() for worker in self._workers))

    async def add(self, session: Session, job: Job) -> Job:
        """Put a job whose folder exists in line."""
        folder = session.jobs / job.name
        write_job(folder, job)
        async with self._news:
            self._line.append(folder)
            self._news.notify()
        return job

    def before(self, folder: Path) -> int:
        """How many jobs are served before this one; 0 for one that runs."""
        return self._line.index(folder) + 1 if folder in self._line else 0

    async def cancel(self, folder: Path) -> None:
        """Take a job out of the line, or end the worker that runs it."""
        with contextlib.suppress(ValueError):
            self._line.remove(folder)
        job = read_job(folder)
        if job is None or job.state not in LIVE:
            return
        moved(folder, job, "cancelled")
        worker = self._running.get(folder)
        if worker is not None:
            await worker.end()
            await asyncio.to_thread(shutil.rmtree, folder / HALF_MADE, ignore_errors=True)

    async def _serve(self, worker: Worker) -> None:
        while True:
            async with self._news:
                await self._news.wait_for(lambda: bool(self._line))
                folder = self._line.popleft()
            self._running[folder] = worker
            try:
                await self._run(folder, worker)
            except Exception:  # one job's trouble, such as a full disk, must not end the line
                log.exception("job %s", folder.name)
            finally:
                self._running.pop(folder, None)

    async def _run(self, folder: Path, worker: Worker) -> None:
        job = read_job(folder)
        if job is None or job.state != "waiting":
            return
        job = moved(folder, job, "running")
        begun = time.monotonic()
        try:
            answer = await worker.ask({"verb": job.verb, "arguments": job.arguments, "folder": str(folder)})
        except WorkerLost:
            await worker.end()
            answer = {"failed": "its process ended, perhaps for want of memory; try fewer samples or freeze more"}
        job = read_job(folder)  # it may have been cancelled, or removed, meanwhile
        if job is None or job.state != "running":
            return
        if "result" in answer:
            write_result(folder, answer["result"])
            moved(folder, job, "done")
        else:
            said = answer.get("refused") or answer.get("failed") or ""
            moved(folder, job, "failed", without_paths(said, folder.parent.parent))
        log.info("job %s %s in %.1f s", job.verb, folder.name, time.monotonic() - begun)
