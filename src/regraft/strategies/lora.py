"""Low-rank adapters beside frozen weights (Hu 2021, "LoRA: Low-Rank Adaptation of Large Language Models")."""

from dataclasses import dataclass, replace

from regraft.core import Adapter, Outline, Plan, TaskSummary, Train
from regraft.strategies.rates import rates_for
from regraft.strategies.settings import Settings
from regraft.strategies.tuning import tuning_plan

MOST_EPOCHS = 20
ALPHA_PER_RANK = 2  # what adapters add is scaled alike whatever their rank


@dataclass(frozen=True)
class Lora:
    """The trunk's weights stay; matrices of rank 8, or `rank`, in every dense layer after the boundary, and the head, train."""

    name: str = "lora"

    def plan(self, outline: Outline, summary: TaskSummary, settings: Settings) -> Plan:
        """Train adapters in all stages after `boundary` at one rate."""
        anchored = {"penalty": "l2-sp holds the trunk's own weights, which are frozen; use lwf or replay"}
        settings.refuse(
            self.name,
            **(anchored if settings.penalty == "l2-sp" else {}),
            batch_norm="the trunk's own weights and statistics are frozen",
            layer_decay="adapters have one rate",
        )
        kept = outline.frozen_stages(settings.boundary or "none")
        opened = replace(settings, boundary=None, rank=None)
        plan = tuning_plan(self.name, outline, summary, opened, frozen=kept, most_epochs=MOST_EPOCHS)
        rate = settings.learning_rate or rates_for(outline).adapter
        (phase,) = (phase for phase in plan.phases if isinstance(phase, Train))
        rates = (0.0,) * kept + (rate,) * (len(outline) - kept)
        rank = settings.rank or Adapter().rank
        adapter = Adapter(rank, ALPHA_PER_RANK * rank)
        return replace(plan, phases=(replace(phase, rates=rates, head_rate=rate, adapter=adapter),))
