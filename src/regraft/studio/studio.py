"""What the routes share: where things are, who computes, and what this studio was told when it began."""

import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from regraft.studio.catalogue import DIGITS, Offered
from regraft.studio.desk import Desk
from regraft.studio.jobs import Job, jobs_in, read_job
from regraft.studio.limits import Limits
from regraft.studio.refusals import RefusedError
from regraft.studio.runner import Runner
from regraft.studio.sessions import Session, Sessions
from regraft.studio.uploads import TaskPlace, own_task, own_tasks
from regraft.studio.wording import without_paths


@dataclass(frozen=True)
class Config:
    """What a studio is told when it begins.

    Attributes:
        folder: Where sessions and remembered answers are kept.
        tasks: What every visitor finds.
        backbones: Further ones, as `--backbone` takes them.
        device: Where workers compute.
        cache: The activation cache; None = the usual one.
        workers: Long jobs at a time.
        limits: Of every visitor.
    """

    folder: Path
    tasks: tuple[Offered, ...]
    backbones: tuple[str, ...] = ()
    device: str = "auto"
    cache: Path | None = None
    workers: int = 1
    limits: Limits = field(default_factory=Limits)


class Studio:
    """One running studio."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.sessions = Sessions(config.folder, config.limits)
        self.desk = Desk(config.folder / "remembered", config.limits)
        self.runner = Runner(config.workers)
        self._scenarios: dict[str, Offered] = {}
        self._begun = secrets.token_hex(8)  # data named at the start may have changed since the last one

    @property
    def where(self) -> dict[str, Any]:
        """What every request to a worker says of the place to compute."""
        cache = self.config.cache
        return {"device": self.config.device, "cache": None if cache is None else str(cache)}

    def tasks(self, session: Session) -> list[TaskPlace]:
        """The shared tasks, then the visitor's own."""
        return [self._shared(one) for one in self._offered()] + own_tasks(session)

    def task(self, session: Session, name: str) -> TaskPlace:
        """One task that the visitor may use.

        Raises:
            RefusedError: There is none such.
        """
        shared = next((self._shared(one) for one in self._offered() if one.name == name), None)
        return shared or own_task(session, name)

    def _offered(self) -> tuple[Offered, ...]:
        return (*self.config.tasks, *self._scenarios.values())

    def _shared(self, one: Offered) -> TaskPlace:
        return TaskPlace(
            one.name, one.title, one.path, self.config.folder / "thumbs" / self._begun / one.name, own=False
        )

    async def open_scenario(self, number: int) -> dict[str, Any]:
        """Offer the task behind a scenario to all visitors, where its data are on this machine."""
        name = f"scenario-{number}"
        folder = self.config.folder / "scenarios" / name
        found = await self.desk.ask("scenario-task", {"number": number, "folder": str(folder)})
        if found["path"] is None:
            return {"name": None, "said": found["said"]}
        self._scenarios[name] = Offered(name, f"Scenario {number}: {Path(found['path']).name}", Path(found["path"]))
        return {"name": name, "said": found["said"]}

    async def remembered(self, verb: str, arguments: dict[str, Any]) -> Any:
        """The answer to a request that does not change while this studio runs."""
        return await self.desk.remembered(verb, arguments, of=self._begun)

    async def inspection(self, task: TaskPlace) -> dict[str, Any]:
        """What a task is, computed once."""
        if task.name == DIGITS and not task.path.exists():
            await self.desk.ask("embed", {"folder": str(task.path)})
        arguments = {"path": str(task.path), "thumbs": str(task.thumbs)}
        found: dict[str, Any] = await self.desk.remembered("inspect", arguments, of=self._begun)
        for problem in found["problems"]:
            problem["message"] = without_paths(problem["message"], task.path)
            problem["items"] = [without_paths(item, task.path) for item in problem["items"]]
        return found

    async def backbones(self) -> list[dict[str, Any]]:
        """What can be grafted on here; nothing else is loaded for a visitor."""
        found: list[dict[str, Any]] = await self.desk.remembered(
            "backbones", {"named": list(self.config.backbones)}, of=self._begun
        )
        return found

    async def check_backbone(self, name: str) -> str:
        """The name, if it is offered.

        Raises:
            RefusedError: It is not: a visitor must not make the server load any folder of this machine.
        """
        if name not in {one["name"] for one in await self.backbones()}:
            raise RefusedError(f"backbone {name[:80]!r} is not offered here; choose one of the list", 422)
        return name

    def job(self, session: Session, name: str) -> tuple[Path, Job]:
        """A job of this visitor.

        Raises:
            RefusedError: There is none such.
        """
        folder = session.find(session.jobs, name)
        job = read_job(folder)
        if job is None:
            raise RefusedError("this entry is damaged; remove it", 404)
        return folder, job

    def check_line(self, session: Session) -> None:
        """Refuse a further job of a visitor who has enough in line.

        Raises:
            RefusedError: That is so.
        """
        live = sum(job.state in {"waiting", "running"} for job in jobs_in(session.jobs))
        if live >= self.config.limits.jobs:
            raise RefusedError(f"{live} of your jobs wait or run; cancel one, or wait for one to end", 429)
