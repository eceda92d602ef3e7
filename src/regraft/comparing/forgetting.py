"""What each strategy lost of the source, over the seeds of a comparison."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from regraft.comparing.trials import Trial


@dataclass(frozen=True)
class Forgetting:
    """What a strategy lost of the source.

    Attributes:
        strategy: Its name.
        before: Accuracy of the original head on source data, or its perplexity, with the pretrained weights.
        after: The same with the tuned weights, mean over seeds.
        lost: How much worse that is, as a share, mean over seeds.
    """

    strategy: str
    before: float
    after: float
    lost: float


def forgetting_of(trials: Mapping[str, Sequence[Trial]]) -> tuple[Forgetting, ...]:
    """Of the strategies whose trials have a curve; one that leaves the trunk alone lost nothing.

    Args:
        trials: Of each strategy, all seeds at one number of shots.
    """
    rows = []
    for strategy, group in trials.items():
        curves = [trial.forgetting for trial in group if trial.forgetting]
        if curves:
            before, after, lost = (
                float(np.mean([getattr(curve[place], name) for curve in curves]))
                for place, name in ((0, "source"), (-1, "source"), (-1, "lost"))
            )
            rows.append(Forgetting(strategy, before, after, lost))
    return tuple(rows)
