"""Measured facts about a task and a backbone."""

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from regraft.core.display import html_table, html_title
from regraft.core.outline import Outline
from regraft.core.words import seconds_said


@dataclass(frozen=True)
class Measurement:
    """One measured fact, with what it cost and how it was got.

    Attributes:
        name: A path of lower-case words: `profile/samples`, `probe/layer3`, `score/logme`, `similarity/proxy-a`,
            `trial/lp-ft`.
        value: What was found.
        low: Lower end of its 80 % interval; NaN where it has none.
        high: Upper end of the same.
        seconds: Wall time it took on this machine.
        source: How it was got, in words that can be read aloud.
    """

    name: str
    value: float
    low: float = math.nan
    high: float = math.nan
    seconds: float = 0.0
    source: str = ""


@dataclass(frozen=True)
class Evidence:
    """Everything measured of one task on one backbone; nothing in it has seen a validation or test label.

    Attributes:
        task: The task's name.
        backbone: As `--backbone` named it.
        outline: The backbone's stages.
        measurements: In the order they were taken.
    """

    task: str
    backbone: str
    outline: Outline = field(repr=False)
    measurements: tuple[Measurement, ...] = field(repr=False)

    def __iter__(self) -> Iterator[Measurement]:
        return iter(self.measurements)

    def get(self, name: str) -> Measurement | None:
        """The measurement of that name; None where it was not taken."""
        return next((one for one in self.measurements if one.name == name), None)

    def under(self, prefix: str) -> dict[str, Measurement]:
        """Measurements whose names begin with `prefix/`, by the rest of their names."""
        head = f"{prefix}/"
        return {one.name.removeprefix(head): one for one in self.measurements if one.name.startswith(head)}

    @property
    def seconds(self) -> float:
        """What all of it cost, wall time."""
        return sum(one.seconds for one in self.measurements)

    def _repr_html_(self) -> str:
        said = f": {len(self.measurements)} measurements in {seconds_said(self.seconds)}"
        rows = [
            (
                one.name,
                f"{one.value:.4g}",
                f"{one.low:.4g} to {one.high:.4g}" if math.isfinite(one.low) else "",
                one.source,
            )
            for one in self.measurements
        ]
        head = ("measurement", "value", "80 % interval", "how it was got")
        return html_title(f"{self.task} on {self.backbone}", said) + html_table(head, rows, most=len(rows))

    def to_json(self) -> dict[str, Any]:
        """Plain data for JSON; what is not a number becomes null."""
        rows = [{key: _plain(value) for key, value in asdict(one).items()} for one in self.measurements]
        return {"task": self.task, "backbone": self.backbone, "measurements": rows, "seconds": self.seconds}


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value
