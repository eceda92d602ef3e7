"""Random weights, everything trains: what pre-training is compared with."""

from dataclasses import dataclass, replace

from regraft.core import Outline, Plan, TaskSummary, Train
from regraft.strategies.rates import rates_for
from regraft.strategies.settings import Settings
from regraft.strategies.tuning import tuning_plan

MOST_EPOCHS = 30


@dataclass(frozen=True)
class FromScratch:
    """The same architecture from a random start, at an ordinary rate."""

    name: str = "from-scratch"

    def plan(self, outline: Outline, summary: TaskSummary, settings: Settings) -> Plan:
        """Train all stages at one rate, batch statistics included."""
        settings.refuse(
            self.name,
            penalty="there is nothing to keep",
            boundary="nothing is frozen",
            layer_decay="random weights all learn at one rate",
        )
        plan = tuning_plan(self.name, outline, summary, settings, frozen=0, most_epochs=MOST_EPOCHS)
        rate = settings.learning_rate or rates_for(outline).scratch
        phases = tuple(
            replace(
                phase,
                rates=(rate,) * len(outline),
                head_rate=rate,
                batch_norm=settings.batch_norm or "train",
                # A random start has plateaus that early stopping would take for the end.
                patience=phase.epochs if settings.patience is None else phase.patience,
            )
            for phase in plan.phases
            if isinstance(phase, Train)
        )
        return replace(plan, phases=phases, start="random")
