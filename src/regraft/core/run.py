"""What a plan left behind when it was run."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from regraft.core.plan import Plan


@dataclass(frozen=True)
class Step:
    """One finished piece of work: an epoch, or a solved head.

    Attributes:
        phase: Which phase of the plan, from 0.
        epoch: Epoch of the phase, from 0.
        loss: Mean training loss.
        metrics: On the validation part: `accuracy`, `loss`.
        seconds: Wall time of this step.
        feature_seconds: Of these, what reading samples and running the frozen trunk for the store took.
        stored_seconds: What activations that were found in the store took when they were computed; in none of these.
        note: One sentence worth telling, such as a halved batch size; else empty.
    """

    phase: int
    epoch: int
    loss: float
    metrics: Mapping[str, float]
    seconds: float
    feature_seconds: float = 0.0
    note: str = ""
    stored_seconds: float = 0.0


def standing(steps: Iterable[Step]) -> tuple[Step, ...]:
    """The steps without those of an attempt that was given up: a phase that diverged is begun again."""
    found: list[Step] = []
    for step in steps:
        found = [one for one in found if (one.phase, one.epoch) < (step.phase, step.epoch)]
        found.append(step)
    return tuple(found)


@dataclass(frozen=True)
class Run:
    """A plan, the steps it took, and the machine it ran on.

    Attributes:
        plan: What was asked for.
        steps: What was done, in order.
        seconds: Wall time as `total`, `features` (reading and running the frozen trunk) and `training`.
        environment: Versions, device, precision, engine: what a rerun needs to know.
    """

    plan: Plan
    steps: tuple[Step, ...]
    seconds: Mapping[str, float] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)

    def before_learning_all(self) -> dict[str, float]:
        """What a solved head reached on the validation part before it learnt from that too; empty of a trained one."""
        solved = [step for step in self.steps if "strength" in step.metrics]
        metrics = solved[-1].metrics if solved else {}
        return {name: value for name, value in metrics.items() if name not in {"strength", "loss"}}
