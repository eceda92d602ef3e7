"""Early stages frozen, later ones tuned from stored activations."""

from dataclasses import dataclass

from regraft.core import OptionError, Outline, Plan, TaskSummary
from regraft.strategies.settings import Settings
from regraft.strategies.tuning import tuning_plan

DEFAULT_BOUNDARY = "67%"  # the last third is tuned: where the cache saves most and little accuracy is lost
MOST_EPOCHS = 30


@dataclass(frozen=True)
class PartialFineTuning:
    """Tune the stages after `--boundary`."""

    name: str = "partial-fine-tuning"

    def plan(self, outline: Outline, summary: TaskSummary, settings: Settings) -> Plan:
        """Train from the boundary on."""
        boundary = settings.boundary or DEFAULT_BOUNDARY
        frozen = outline.frozen_stages(boundary)
        if settings.boundary is None:
            frozen = min(frozen, len(outline) - 1)
        if frozen == len(outline):
            raise OptionError(
                f"strategy {self.name}: --boundary {boundary} freezes every stage; use strategy feature-extraction"
            )
        return tuning_plan(self.name, outline, summary, settings, frozen=frozen, most_epochs=MOST_EPOCHS)
