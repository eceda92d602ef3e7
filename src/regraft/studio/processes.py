"""Worker processes seen from the server: started ahead of need, asked one thing at a time, ended when told."""

import asyncio
import contextlib
import json
import os
import signal
import sys
from typing import Any

from regraft.studio.refusals import RefusedError

PATIENCE = 3.0  # seconds between asking a worker to end and ending it
LONGEST_LINE = 64 << 20
RENEWED_AFTER = 40  # requests; a fresh process gives back what libraries keep


class WorkerLost(Exception):  # noqa: N818 - a state, not a mistake
    """The process ended without an answer: it was cancelled, or memory ran out."""


class Worker:
    """One process that answers one request after another."""

    def __init__(self, *, gentle: bool) -> None:
        self._gentle = gentle
        self._process: asyncio.subprocess.Process | None = None
        self._answered = 0
        self._ready = False
        self._starting = asyncio.Lock()

    async def start(self) -> None:
        """Begin loading libraries; returns before they are loaded."""
        async with self._starting:
            if self._process is not None and self._process.returncode is None:
                return
            arguments = [sys.executable, "-m", "regraft.studio.worker", *(["--gentle"] if self._gentle else [])]
            self._answered = 0
            self._ready = False
            self._process = await asyncio.create_subprocess_exec(
                *arguments,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                limit=LONGEST_LINE,
                start_new_session=True,  # Ctrl-C in the terminal reaches the server alone, which then ends its workers
                env={**os.environ, "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"},
            )

    async def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """Its answer: an object with `result`, `refused` or `failed`.

        Raises:
            WorkerLost: It ended meanwhile.
        """
        await self.start()
        process = self._process
        if process is None or process.stdin is None or process.stdout is None:
            raise WorkerLost
        try:
            await self.ready()
            process.stdin.write(json.dumps(request).encode() + b"\n")
            await process.stdin.drain()
            answer = await self._line(process.stdout)
        except (ConnectionError, ValueError) as error:
            raise WorkerLost from error
        self._answered += 1
        if self._answered >= RENEWED_AFTER:
            await self.end()
        return answer

    async def ready(self) -> None:
        """Wait until its libraries are loaded, which takes seconds, on a busy machine minutes.

        Raises:
            WorkerLost: It ended meanwhile.
        """
        await self.start()
        if not self._ready and self._process is not None and self._process.stdout is not None:
            await self._line(self._process.stdout)
            self._ready = True

    @staticmethod
    async def _line(stream: asyncio.StreamReader) -> dict[str, Any]:
        line = await stream.readline()
        if not line:
            raise WorkerLost
        found: dict[str, Any] = json.loads(line)
        return found

    async def end(self) -> None:
        """Stop the process and whatever it began."""
        process, self._process = self._process, None
        if process is None or process.returncode is not None:
            return
        for sign in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, sign)
            try:
                await asyncio.wait_for(process.wait(), PATIENCE)
            except TimeoutError:
                continue
            return


def result_of(answer: dict[str, Any]) -> Any:
    """What a worker found.

    Raises:
        RefusedError: The verb refused its input, or failed.
    """
    if "refused" in answer:
        raise RefusedError(answer["refused"], 422)
    if "failed" in answer:
        raise RefusedError(f"this could not be computed: {answer['failed']}", 500)
    return answer["result"]
