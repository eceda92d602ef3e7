"""The head first on frozen features, then everything (Kumar 2022, "Fine-tuning can distort pretrained features")."""

from dataclasses import dataclass, replace

from regraft.core import Outline, Plan, TaskSummary, Train
from regraft.strategies.full_fine_tuning import MOST_EPOCHS
from regraft.strategies.rates import rates_for
from regraft.strategies.settings import Settings
from regraft.strategies.tuning import tuning_plan

HEAD_EPOCHS = 50  # on stored features: a fraction of a second each


@dataclass(frozen=True)
class LpFt:
    """Two phases: a head that fits the features as they are, then whole-model tuning that begins from it."""

    name: str = "lp-ft"

    def plan(self, outline: Outline, summary: TaskSummary, settings: Settings) -> Plan:
        """Train the head alone, then all stages; `epochs` and the rate are those of the second phase."""
        settings.refuse(self.name, boundary="the second phase trains every stage")
        plan = tuning_plan(self.name, outline, summary, settings, frozen=0, most_epochs=MOST_EPOCHS)
        (tuning,) = (phase for phase in plan.phases if isinstance(phase, Train))
        probing = replace(
            tuning,
            epochs=HEAD_EPOCHS,
            rates=(0.0,) * len(outline),
            head_rate=rates_for(outline).head,
            augment=False,
        )
        # The head has learnt already: from here on it is as slow as the stage below it.
        return replace(plan, phases=(probing, replace(tuning, head_rate=tuning.rates[-1])))
