"""A recommendation, and the scenarios that are graded by one."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from regraft.studio.work.few import write_task
from regraft.studio.work.opened import backbone_named, reads, resources, task_at
from regraft.studio.work.plain import plain

if TYPE_CHECKING:
    from regraft.core import Recommendation
    from regraft.scenarios import Graded, Scenario

Report = Callable[[dict[str, Any]], None]

SHOWN = 8  # of a ranking behind a verdict


def recommend(arguments: dict[str, Any], report: Report) -> dict[str, Any]:
    """What to do with a task on a backbone.

    Args:
        arguments: `path`, `backbone`, `budget_seconds`.
        report: Gets `progress` events.
    """
    from regraft import api  # noqa: PLC0415 - a worker warms up first

    task = task_at(arguments["path"])
    trunk = backbone_named(arguments["backbone"], reads(task))
    advice = api.recommend(
        task,
        [trunk],
        budget_seconds=arguments["budget_seconds"],
        resources=resources(arguments),
        progress=_progress(report),
    )
    return _told(advice)


def _told(advice: "Recommendation") -> dict[str, Any]:
    told: dict[str, Any] = plain(advice.to_json())
    for one in (*told["ranking"], *told["evidence"], told["recommended"]):
        one["backbone"] = Path(one["backbone"]).name
    return told


def _progress(report: Report) -> Callable[[str, int, int], None]:
    return lambda what, done, total: report({"type": "progress", "what": what, "done": done, "total": total})


def scenarios(_arguments: dict[str, Any], _report: Report) -> list[dict[str, Any]]:
    """The questions and their choices; which of them is right is not told."""
    from regraft.scenarios import SCENARIOS  # noqa: PLC0415
    from regraft.scenarios.measured import at_hand  # noqa: PLC0415

    return [
        {
            "number": one.number,
            "title": one.title,
            "question": one.question,
            "choices": [{"key": choice.key, "text": choice.text} for choice in one.answers],
            "measured_on": one.ground.said,
            "at_hand": at_hand(one.ground),
        }
        for one in SCENARIOS
    ]


def grade(arguments: dict[str, Any], _report: Report) -> dict[str, Any]:
    """A verdict on one answer, from the measurements that come with the package.

    Args:
        arguments: `number` and `answer`.
    """
    from regraft.core import DataError  # noqa: PLC0415
    from regraft.scenarios import graded  # noqa: PLC0415
    from regraft.scenarios.stored import stored_for  # noqa: PLC0415

    one = _asked(arguments)
    kept = stored_for(one)
    if kept is None:
        raise DataError(f"question {one.number}: no measurements are stored with this version; measure it here and now")
    return _verdict(graded(one, arguments["answer"], kept.recommendation(), f"stored measurements: {kept.command}"))


def measure_scenario(arguments: dict[str, Any], report: Report) -> dict[str, Any]:
    """A verdict on one answer, measured here and now.

    Args:
        arguments: `number`, `answer`, `budget_seconds`.
        report: Gets `progress` events.
    """
    from regraft.core import DataError  # noqa: PLC0415
    from regraft.scenarios import graded  # noqa: PLC0415
    from regraft.scenarios.measured import at_hand, measured  # noqa: PLC0415

    one = _asked(arguments)
    if not at_hand(one.ground):
        raise DataError(f"question {one.number}: its data ({one.ground.said}) are not on this machine")
    advice, _ = measured(
        one, resources=resources(arguments), budget_seconds=arguments["budget_seconds"], progress=_progress(report)
    )
    return _verdict(graded(one, arguments["answer"], advice, "measured on this machine just now"))


def _asked(arguments: dict[str, Any]) -> "Scenario":
    from regraft.scenarios import answer_given  # noqa: PLC0415

    return answer_given(f"{arguments['number']}={arguments['answer']}")[0]


def _verdict(found: "Graded") -> dict[str, Any]:
    advice = _told(found.advice)
    told: dict[str, Any] = plain(found.to_json())
    told["metric"] = advice["metric"]
    told["ranking"] = advice["ranking"][:SHOWN]
    told["measurements"] = [row for one in advice["evidence"] for row in one["measurements"]]
    told["recommended"] = advice["recommended"]
    return told


def scenario_task(arguments: dict[str, Any], _report: Report) -> dict[str, Any]:
    """A scenario's task with as many labels as it speaks of, written to `folder`; where its data are not here, none.

    Args:
        arguments: `number` and `folder`.
    """
    from regraft.scenarios import scenario_numbered  # noqa: PLC0415
    from regraft.scenarios.measured import at_hand, task_of  # noqa: PLC0415

    one = scenario_numbered(arguments["number"])
    if not at_hand(one.ground):
        return {"path": None, "said": one.ground.said}
    path = write_task(task_of(one.ground), Path(arguments["folder"]))
    return {"path": str(path), "said": one.ground.said}
