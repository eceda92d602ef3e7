"""What a look at a backbone's feature hierarchy found, as plain data."""

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regraft.core import Evidence
from regraft.core.display import html_list, html_table, html_title
from regraft.core.words import backbone_said, metric_said
from regraft.hierarchy.filters import Filters
from regraft.hierarchy.patches import StagePatches
from regraft.hierarchy.texts import Anchor


@dataclass(frozen=True)
class StageFinding:
    """One stage: how well it serves the task, and how near it is to the end of the trunk.

    Attributes:
        name: The stage's name.
        probe_accuracy: Cross-validated result of a linear probe, in the task's metric.
        low: Lower end of its 80 % interval.
        high: Upper end.
        transferability: LogME, log evidence per sample: comparable between stages of one task.
        similarity_to_last: Debiased linear CKA with the last stage.
        train_accuracy: The probe on what it has learnt from.
        width: D.
        transferability_low: Lower end of the 80 % interval of `transferability`; NaN where it has none.
        transferability_high: Upper end.
    """

    name: str
    probe_accuracy: float
    low: float
    high: float
    transferability: float
    similarity_to_last: float
    train_accuracy: float
    width: int
    transferability_low: float = float("nan")
    transferability_high: float = float("nan")


@dataclass(frozen=True)
class Probe:
    """The feature hierarchy of a backbone on a task.

    Attributes:
        task: The task's name.
        backbone: As `--backbone` named it.
        metric: What `probe_accuracy` is.
        classes: Class names, by number.
        samples: Training samples that the probes rest on.
        stages: Input side first.
        together: The probe of all stages.
        raw: The same probe of the raw input.
        chance: Share of the largest class; NaN for quantities.
        cka: (S, S) debiased linear CKA of every pair of stages.
        filters: The first layer of a vision trunk.
        patches: What its stages' channels look for.
        anchors: Single texts through the layers of a text trunk.
        evidence: The measurements.
        sentences: What it comes to, in words.
        report: The HTML file, where one was written.
    """

    task: str
    backbone: str
    metric: str
    classes: tuple[str, ...]
    samples: int
    stages: tuple[StageFinding, ...] = field(repr=False)
    together: float
    raw: float
    chance: float
    cka: NDArray[np.float64] = field(repr=False)
    filters: Filters | None = field(repr=False)
    patches: tuple[StagePatches, ...] = field(repr=False)
    anchors: tuple[Anchor, ...] = field(repr=False)
    evidence: Evidence
    sentences: tuple[str, ...]
    report: Path | None = None

    @property
    def best(self) -> StageFinding:
        """The stage of the best probe; of equals the last."""
        return max(reversed(self.stages), key=lambda one: one.probe_accuracy)

    def _repr_html_(self) -> str:
        rows = [
            (one.name, f"{one.width:,}", f"{one.probe_accuracy:.3f}", f"{one.low:.3f} to {one.high:.3f}")
            for one in self.stages
        ]
        head = ("stage", "features", f"probe {metric_said(self.metric)}", "80 % interval")
        return (
            html_title(self.task, f" on {backbone_said(self.backbone)}: {self.samples:,} training samples")
            + html_table(head, rows, most=len(rows))
            + html_list(self.sentences)
        )

    def to_json(self) -> dict[str, Any]:
        """The keys that `regraft probe --json` promises, and what goes with them."""
        return {
            "task": self.task,
            "backbone": self.backbone,
            "metric": self.metric,
            "samples": self.samples,
            "stages": [asdict(one) for one in self.stages],
            "all_stages": self.together,
            "raw_input": self.raw,
            "cka": np.round(self.cka, 4).tolist(),
            "sentences": list(self.sentences),
            "report": None if self.report is None else str(self.report),
            "seconds": self.evidence.seconds,
        }
