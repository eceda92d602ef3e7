"""Strategies ranked on evidence."""

from dataclasses import asdict, dataclass
from typing import Any

from regraft.core.display import html_list, html_table
from regraft.core.evidence import Evidence
from regraft.core.words import metric_said, seconds_said


@dataclass(frozen=True)
class Choice:
    """One strategy on one backbone, with what it is expected to reach and to cost.

    Attributes:
        strategy: Its name.
        backbone: As `--backbone` takes it.
        boundary: The last frozen stage, `none`, or `all` for a probe of all stages.
        head: What is grafted on.
        epochs: The most that are run; 0 for a solved head.
        learning_rate: The largest rate of the trunk, of the head where the trunk is frozen; 0.0 for a solved head.
        expected: Expected value of the task's metric on unseen samples.
        low: Lower end of its 80 % interval.
        high: Upper end of the same.
        cost_seconds: Predicted wall time of `fit` on this machine.
        reasons: Sentences that cite measurements.
    """

    strategy: str
    backbone: str
    boundary: str
    head: str
    epochs: int
    learning_rate: float
    expected: float
    low: float
    high: float
    cost_seconds: float
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True)
class RuleCheck:
    """A classical rule of thumb held against what was measured.

    Attributes:
        situation: Such as `few samples, near domain`.
        says: What the rule advises.
        applies: Whether this task is in that situation.
        agrees: Whether the measurements say the same; None where the rule does not apply.
        because: One sentence that cites the measurement.
    """

    situation: str
    says: str
    applies: bool
    agrees: bool | None
    because: str


@dataclass(frozen=True)
class Recommendation:
    """Choices, the best first: what the data cannot tell apart is in the order of cost.

    Attributes:
        metric: The task's metric that `expected` is of.
        choices: Ranked; at least one.
        evidence: One for each backbone that was measured.
        reasons: Why the first is first, in sentences.
        rules: The four classical rules.
        seconds: Wall time of all of it.
    """

    metric: str
    choices: tuple[Choice, ...]
    evidence: tuple[Evidence, ...]
    reasons: tuple[str, ...]
    rules: tuple[RuleCheck, ...]
    seconds: float

    @property
    def best(self) -> Choice:
        """The first of the ranking."""
        return self.choices[0]

    def _repr_html_(self) -> str:
        rows, seen = [], set()
        for one in self.choices:
            if (one.strategy, one.backbone) in seen:
                continue
            seen.add((one.strategy, one.backbone))
            rows.append(
                (
                    one.strategy,
                    one.boundary,
                    one.backbone,
                    f"{one.expected:.3f}",
                    f"{one.low:.3f} to {one.high:.3f}",
                    seconds_said(one.cost_seconds),
                )
            )
        head = (
            "strategy",
            "boundary",
            "backbone",
            f"expected {metric_said(self.metric)}",
            "80 % interval",
            "fit takes",
        )
        return html_table(head, rows) + html_list(self.reasons)

    def to_json(self) -> dict[str, Any]:
        """The keys that `regraft recommend --json` promises."""
        best = self.best
        keys = ("backbone", "strategy", "boundary", "head", "epochs", "learning_rate")
        return {
            "recommended": {key: getattr(best, key) for key in keys},
            "metric": self.metric,
            "ranking": [asdict(choice) for choice in self.choices],
            "evidence": [one.to_json() for one in self.evidence],
            "reasons": list(self.reasons),
            "rules": [asdict(rule) for rule in self.rules],
            "seconds": self.seconds,
        }
