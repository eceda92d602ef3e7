"""The rows of the benchmark: what every strategy reached, and what was measured before, cell by cell."""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grid import ARMS, RESULTS, Cell

from regraft.core import Evidence, Measurement, Outline, TaskSummary
from regraft.core.outline import Stage
from regraft.recommending.situation import Situation

ORACLE, EVIDENCE = RESULTS / "oracle.jsonl", RESULTS / "evidence.jsonl"
PROBE = "feature-extraction"


@dataclass(frozen=True)
class Known:
    """One cell with what each arm reached on the test part and what was measured on the training part.

    Attributes:
        cell: Task, backbone, shots, seed.
        reached: Test metric by arm.
        seconds: Training seconds by arm; none where a row says that the machine was busy with other work.
        test: Test samples.
        situation: The evidence; None where it was not gathered.
        measuring: Seconds that gathering took.
    """

    cell: Cell
    reached: dict[str, float]
    seconds: dict[str, float]
    test: int
    situation: Situation | None
    measuring: float


def arm(strategy: str, asked: str | None) -> str:
    """`lp-ft`, `feature-extraction@all`: as measurements name it."""
    return strategy if asked in {None, "default"} else f"{strategy}@{asked}"


def lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def known(arms: Iterable[str] | None = None) -> list[Known]:
    """Every cell that has a row for each of the arms, all of them unless told otherwise."""
    wanted = set(arms or (arm(*one) for one in ARMS))
    rows: dict[Cell, list[dict[str, Any]]] = defaultdict(list)
    for row in lines(ORACLE):
        rows[cell_of(row)].append(row)
    evidence = {cell_of(row): row for row in lines(EVIDENCE)}
    found = []
    for cell, group in rows.items():
        reached = {arm(row["strategy"], row["asked"]): row["metric"] for row in group}
        if not wanted <= set(reached):
            continue
        clear = not any(row.get("busy") for row in group)
        seconds = {arm(row["strategy"], row["asked"]): row["seconds"] for row in group} if clear else {}
        measured = evidence.get(cell)
        situation = None if measured is None else situation_of(measured)
        taken = 0.0 if measured is None else measured["seconds"]
        found.append(Known(cell, reached, seconds, group[0]["test"], situation, taken))
    return found


def keep(file: Path, row: dict[str, Any], key: Callable[[dict[str, Any]], object]) -> None:
    """The row in the file, in the place of an older one with the same key."""
    kept = [other for other in lines(file) if key(other) != key(row)]
    draft = file.with_suffix(".draft")
    draft.write_text("".join(json.dumps(one) + "\n" for one in [*kept, row]))
    draft.replace(file)


def cell_of(row: dict[str, Any]) -> Cell:
    return Cell(row["task"], row["backbone"], row["shots"], row["seed"])


def situation_of(row: dict[str, Any]) -> Situation:
    """The situation that a row of evidence tells."""
    outline = row["outline"]
    stages = tuple(Stage(name, (), count, width) for name, count, width in outline["stages"])
    measurements = tuple(
        Measurement(name, *(float("nan") if value is None else value for value in values))
        for name, values in row["measurements"].items()
    )
    evidence = Evidence(row["task"], row["backbone"], Outline(outline["name"], outline["family"], stages), measurements)
    return Situation(TaskSummary(**row["summary"]), row["labels"], evidence)
