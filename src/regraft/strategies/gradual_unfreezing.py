"""Stages open one after the other, from the last to the first (Howard and Ruder 2018, ULMFiT, section 3.3)."""

from dataclasses import dataclass, replace

from regraft.core import Outline, Plan, TaskSummary, Train
from regraft.strategies.full_fine_tuning import MOST_EPOCHS
from regraft.strategies.settings import Settings
from regraft.strategies.tuning import tuning_plan


@dataclass(frozen=True)
class GradualUnfreezing:
    """One epoch with the head alone, one more for each stage that opens, the rest with all that may train open."""

    name: str = "gradual-unfreezing"

    def plan(self, outline: Outline, summary: TaskSummary, settings: Settings) -> Plan:
        """Discriminative rates throughout; stages up to `boundary` never open.

        Args:
            outline: The backbone's stages.
            summary: Counts of the task.
            settings: `epochs` are those of the last phase.
        """
        kept = outline.frozen_stages(settings.boundary or "none")
        opened = replace(settings, boundary=None)
        plan = tuning_plan(self.name, outline, summary, opened, frozen=kept, most_epochs=MOST_EPOCHS)
        (last,) = (phase for phase in plan.phases if isinstance(phase, Train))
        # A boundary that serves one epoch is worth one stored view, not several augmented ones.
        opening = tuple(
            replace(
                last,
                epochs=1,
                augment=False,
                rates=tuple(rate if stage >= frozen else 0.0 for stage, rate in enumerate(last.rates)),
            )
            for frozen in range(len(outline), kept, -1)
        )
        return replace(plan, phases=(*opening, last))
