"""All of the trunk frozen: a head on features that are computed once."""

from dataclasses import dataclass

from regraft.core import Outline, Plan, Solve, TaskSummary, Train
from regraft.strategies.rates import rates_for
from regraft.strategies.settings import Settings

EPOCHS = 50  # of a trained head: each takes a fraction of a second on stored features


@dataclass(frozen=True)
class FeatureExtraction:
    """A convex head by cross-validation, or a small network on request."""

    name: str = "feature-extraction"

    def plan(self, outline: Outline, summary: TaskSummary, settings: Settings) -> Plan:
        """Solve a logistic head, or train a `linear` or `mlp` one."""
        head = settings.head or "logistic"
        settings.refuse(self.name, boundary="the whole trunk is frozen", batch_norm="no stage trains")
        if head == "logistic":
            why = "a logistic head is solved; use --head linear or mlp"
            settings.refuse(self.name, epochs=why, learning_rate=why, batch_size=why)
            folds = max(2, min(5, summary.smallest_class))
            return Plan(self.name, head, (Solve(folds=folds),), seed=settings.seed)
        phase = Train(
            epochs=settings.epochs or EPOCHS,
            rates=(0.0,) * len(outline),
            head_rate=settings.learning_rate or rates_for(outline).head,
            batch_size=settings.batch_size or 32,
            augment=bool(settings.augment),
            cache=settings.cache is not False,
        )
        return Plan(self.name, head, (phase,), seed=settings.seed)
