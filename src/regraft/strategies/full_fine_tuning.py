"""The whole model tuned at a very small rate."""

from dataclasses import dataclass

from regraft.core import Outline, Plan, TaskSummary
from regraft.strategies.settings import Settings
from regraft.strategies.tuning import tuning_plan

MOST_EPOCHS = 20


@dataclass(frozen=True)
class FullFineTuning:
    """Tune every stage, with warm-up and a smaller rate toward the input."""

    name: str = "full-fine-tuning"

    def plan(self, outline: Outline, summary: TaskSummary, settings: Settings) -> Plan:
        """Train all stages."""
        settings.refuse(self.name, boundary="nothing is frozen; use strategy partial-fine-tuning")
        return tuning_plan(self.name, outline, summary, settings, frozen=0, most_epochs=MOST_EPOCHS)
