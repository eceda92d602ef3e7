"""Short requests: answered by a worker that keeps backbones and models loaded, and remembered where they may be."""

import asyncio
import contextlib
import hashlib
import json
from pathlib import Path
from typing import Any

from regraft.studio.limits import Limits
from regraft.studio.processes import Worker, WorkerLost, result_of
from regraft.studio.refusals import RefusedError


class Desk:
    """One line of short requests, of all visitors.

    Equal requests that may be remembered are computed once, whoever asks: their answers depend on nothing but the
    content of files that the asker may read.
    """

    def __init__(self, folder: Path, limits: Limits) -> None:
        self._folder, self._limits = folder, limits
        self._worker = Worker(gentle=False)
        self._line = asyncio.Lock()
        self._waiting = 0
        self._pending: dict[str, asyncio.Task[Any]] = {}
        folder.mkdir(parents=True, exist_ok=True)

    async def start(self) -> None:
        """Begin loading libraries."""
        await self._worker.start()

    async def ready(self) -> None:
        """Wait until the libraries are loaded."""
        async with self._line:
            with contextlib.suppress(WorkerLost):
                await self._worker.ready()

    async def end(self) -> None:
        """Stop the worker."""
        await self._worker.end()

    async def remembered(self, verb: str, arguments: dict[str, Any], *, of: str = "") -> Any:
        """The answer to a request that has the same answer every time.

        Args:
            verb: What to do.
            arguments: With what.
            of: The content that the arguments name, such as a task's fingerprint.
        """
        key = hashlib.sha256(json.dumps([verb, arguments, of], sort_keys=True).encode()).hexdigest()
        file = self._folder / f"{key}.json"
        if file.exists():
            return json.loads(await asyncio.to_thread(file.read_text, encoding="utf-8"))
        if key not in self._pending:
            task = asyncio.create_task(self._computed(verb, arguments, file))
            self._pending[key] = task
            task.add_done_callback(lambda _: self._pending.pop(key, None))
        return await asyncio.shield(self._pending[key])

    async def _computed(self, verb: str, arguments: dict[str, Any], file: Path) -> Any:
        found = await self.ask(verb, arguments)
        draft = file.with_suffix(".draft")
        draft.write_text(json.dumps(found, ensure_ascii=False), encoding="utf-8")
        draft.replace(file)
        return found

    async def ask(self, verb: str, arguments: dict[str, Any]) -> Any:
        """The answer to a request.

        Raises:
            RefusedError: It is refused, fails, takes too long, or too many stand in line.
        """
        if self._waiting >= self._limits.waiting:
            raise RefusedError("many are asking at the moment; try again in a minute", 503)
        self._waiting += 1
        try:
            async with self._line:
                request = {"verb": verb, "arguments": arguments}
                await self._worker.ready()
                return result_of(await asyncio.wait_for(self._worker.ask(request), self._limits.answer_seconds))
        except TimeoutError as error:
            await self._worker.end()
            raise RefusedError("this took too long and was ended; try a smaller input", 503) from error
        except (WorkerLost, asyncio.CancelledError) as error:
            await self._worker.end()
            if isinstance(error, asyncio.CancelledError):
                raise
            raise RefusedError(
                "the process that computes this ended; try again, perhaps with a smaller input", 503
            ) from error
        finally:
            self._waiting -= 1
