"""Measurements of a scenario that come with the package: evidence and costs, from which the engine ranks anew."""

import json
from dataclasses import asdict, dataclass
from importlib.resources import files
from typing import Any

from regraft.core import Evidence, Measurement, Outline, Recommendation, TaskSummary
from regraft.core.outline import Stage
from regraft.recommending import Offer, offers_for, recommend
from regraft.scenarios.scenario import Scenario
from regraft.strategies import Settings


@dataclass(frozen=True)
class Stored:
    """What was measured of one scenario.

    Attributes:
        command: That measured it.
        summary: Counts of the task.
        metric: The task's.
        labels: Training and validation samples.
        evidence: One for each backbone.
        costs: Predicted seconds of `fit` by backbone, then arm.
        seconds: Wall time of measuring.
    """

    command: str
    summary: TaskSummary
    metric: str
    labels: int
    evidence: tuple[Evidence, ...]
    costs: dict[str, dict[str, float]]
    seconds: float

    def offers(self) -> list[Offer]:
        """Everything that could be done."""
        return [
            offer for one in self.evidence for offer in offers_for(one.backbone, one.outline, self.summary, Settings())
        ]

    def recommendation(self) -> Recommendation:
        """The engine's ranking of these measurements."""
        return recommend(
            self.summary,
            self.metric,
            self.labels,
            self.evidence,
            self.offers(),
            lambda offer: self.costs[offer.backbone][offer.arm],
            seconds=self.seconds,
        )

    def to_json(self) -> dict[str, Any]:
        """Plain data for JSON."""
        rows = [{**one.to_json(), "outline": asdict(one.outline)} for one in self.evidence]
        return {
            "command": self.command,
            "summary": asdict(self.summary),
            "metric": self.metric,
            "labels": self.labels,
            "evidence": rows,
            "costs": self.costs,
            "seconds": self.seconds,
        }


def stored_from_json(data: dict[str, Any]) -> Stored:
    """What `Stored.to_json` wrote."""
    return Stored(
        data["command"],
        TaskSummary(**data["summary"]),
        data["metric"],
        data["labels"],
        tuple(_evidence(row) for row in data["evidence"]),
        data["costs"],
        data["seconds"],
    )


def stored_for(scenario: Scenario) -> Stored | None:
    """The measurements that come with the package; None where there are none."""
    file = files("regraft.scenarios") / "stored" / f"{scenario.name}.json"
    if not file.is_file():
        return None
    return stored_from_json(json.loads(file.read_text(encoding="utf-8")))


def _evidence(row: dict[str, Any]) -> Evidence:
    outline = row["outline"]
    stages = tuple(
        Stage(one["name"], tuple(one["modules"]), one["parameters"], one["width"]) for one in outline["stages"]
    )
    known: list[dict[str, Any]] = [
        {key: float("nan") if value is None else value for key, value in one.items()} for one in row["measurements"]
    ]
    measurements = tuple(Measurement(**one) for one in known)
    return Evidence(row["task"], row["backbone"], Outline(outline["name"], outline["family"], stages), measurements)
