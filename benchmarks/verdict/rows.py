"""The rows of the benchmark: what every strategy reached, and what was measured before, cell by cell."""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from grid import ARMS, RESULTS, Cell

from regraft.core import Evidence, Measurement, Outline, TaskSummary
from regraft.core.outline import Stage
from regraft.recommending import Offer, offers_for
from regraft.recommending.situation import Situation
from regraft.strategies import Settings

ORACLE, EVIDENCE = RESULTS / "oracle.jsonl", RESULTS / "evidence.jsonl"
PROBE = "feature-extraction"
CORE = "cpu"
ALIKE = {"insect-96": "imagenet-96"}  # the same network with other weights


@dataclass(frozen=True)
class Known:
    """One cell with what each arm reached on the test part and what was measured on the training part.

    Attributes:
        cell: Task, backbone, shots, seed.
        reached: Test metric by arm.
        seconds: What each arm takes on a core; none where that is not known.
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
    found, paces = [], core_paces([row for group in rows.values() for row in group])
    for cell, group in rows.items():
        reached = {arm(row["strategy"], row["asked"]): row["metric"] for row in group}
        if not wanted <= set(reached):
            continue
        seconds = {arm(row["strategy"], row["asked"]): core_seconds(row, paces) for row in group}
        measured = evidence.get(cell)
        situation = None if measured is None else situation_of(measured)
        taken = 0.0 if measured is None else measured["seconds"]
        found.append(
            Known(
                cell, reached, {name: one for name, one in seconds.items() if one}, group[0]["test"], situation, taken
            )
        )
    return found


def offered(cell: Known) -> dict[str, Offer]:
    """The offers that the oracle's arms are, by arm."""
    situation = cell.situation
    outline = situation.evidence.outline  # type: ignore[union-attr]
    summary = situation.summary  # type: ignore[union-attr]
    offers = offers_for(situation.evidence.backbone, outline, summary, Settings())  # type: ignore[union-attr]
    found = {}
    for arm in cell.reached:
        strategy, _, asked = arm.partition("@")
        boundary = outline.boundary_name(outline.frozen_stages(asked)) if asked not in {"", "all"} else asked
        mine = [
            one for one in offers if one.strategy == strategy and (one.boundary == boundary if asked else one.usual)
        ]
        if mine:
            found[arm] = mine[0]
    return found


Paces = dict[tuple[str, ...], float]


def core_paces(rows: Iterable[dict[str, Any]]) -> Paces:
    """Seconds per sample and epoch on a core, in the median: by network, strategy and labels a class, and by the first two.

    Of runs that had the core for themselves; where there is none, of those that shared it.
    """
    each: dict[bool, dict[tuple[str, ...], list[float]]] = {busy: defaultdict(list) for busy in (False, True)}
    for row in rows:
        if row["device"] == CORE:
            for key in _pace_keys(row):
                each[bool(row.get("busy"))][key].append(row["seconds"] / (row["train"] * max(row["epochs"], 1)))
    return {key: median(values) for key, values in {**each[True], **each[False]}.items()}


def core_seconds(row: dict[str, Any], paces: Paces) -> float:
    """What a run takes on such a core: as it took, or where a GPU or a busy core ran it by the pace of others; 0 = unknown."""
    if row["device"] == CORE and not row.get("busy"):
        return float(row["seconds"])
    pace = next((paces[key] for key in _pace_keys(row) if key in paces), 0.0)
    return row["train"] * max(row["epochs"], 1) * pace


def _pace_keys(row: dict[str, Any]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    network = (ALIKE.get(row["backbone"], row["backbone"]), row["strategy"], row["asked"])
    return (*network, row["shots"]), network


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
