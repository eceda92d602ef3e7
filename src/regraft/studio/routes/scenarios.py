"""`/api/scenarios`: the questions, a verdict on an answer, and the task behind one for the lab."""

from typing import Any

from fastapi import APIRouter

from regraft.studio.requests import AskedAnswer
from regraft.studio.routes import TheStudio

router = APIRouter(prefix="/api/scenarios")


@router.get("")
async def listed(studio: TheStudio) -> list[dict[str, Any]]:
    """The questions with their choices."""
    found: list[dict[str, Any]] = await studio.remembered("scenarios", {})
    return found


@router.post("/{number}")
async def graded(number: int, wanted: AskedAnswer, studio: TheStudio) -> dict[str, Any]:
    """The verdict on an answer, by the measurements that come with the package."""
    found: dict[str, Any] = await studio.remembered("grade", {"number": number, "answer": wanted.answer})
    return found


@router.post("/{number}/task")
async def opened(number: int, studio: TheStudio) -> dict[str, Any]:
    """The task behind a question, made ready for the lab; `name` is null where its data are not on this machine."""
    return await studio.open_scenario(number)
