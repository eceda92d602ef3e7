"""What each strategy lost of the source, over the seeds of a comparison."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from regraft.comparing.trials import Trial
from regraft.forgetting import Forgotten, loss_unit

NORMAL = 1.96  # standard errors of a 95 % interval


@dataclass(frozen=True)
class Forgetting:
    """What a strategy lost of the source, on the half of its data that the curve is not measured on.

    Attributes:
        strategy: Its name.
        metric: Of the source: `source_accuracy`, `masked_perplexity` or `perplexity`.
        before: Accuracy of the original head on source data, or its perplexity, with the pretrained weights.
        after: The same with the tuned weights, mean over seeds.
        lost: How much worse that is, as a share, mean over seeds.
        low: Of its 95 % interval over source samples and seeds.
        high: Of the same.
    """

    strategy: str
    metric: str
    before: float
    after: float
    lost: float
    low: float
    high: float

    @property
    def unit(self) -> str:
        """Of a hundred times the loss."""
        return loss_unit(self.metric)


def forgetting_of(trials: Mapping[str, Sequence[Trial]]) -> tuple[Forgetting, ...]:
    """Of the strategies whose trials were measured on the source; one that leaves the trunk alone lost nothing.

    Args:
        trials: Of each strategy, all seeds at one number of shots.
    """
    held = {name: [trial.held_out for trial in group if trial.held_out is not None] for name, group in trials.items()}
    return tuple(_over_seeds(name, found) for name, found in held.items() if found)


def _over_seeds(strategy: str, found: Sequence[Forgotten]) -> Forgetting:
    """The mean, with the variance over samples and that over seeds added.

    Every seed is asked about the same source samples, so that more seeds make only the second smaller.
    """
    before, after, lost, low, high = (
        np.array([getattr(one, name) for one in found]) for name in ("before", "after", "lost", "low", "high")
    )
    mean = float(lost.mean())
    over_seeds = NORMAL * float(lost.std(ddof=1)) / len(found) ** 0.5 if len(found) > 1 else 0.0
    below, above = (float(np.hypot(side.mean(), over_seeds)) for side in (lost - low, high - lost))
    return Forgetting(
        strategy, found[0].metric, float(before.mean()), float(after.mean()), mean, mean - below, mean + above
    )
