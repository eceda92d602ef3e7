"""What a trunk still knows of its source, in whatever unit, and how much of it was lost."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from regraft.activations.store import ActivationStore
from regraft.backbones.contract import Backbone
from regraft.core import Sample
from regraft.evaluating.bootstrap import Ints, bootstrap

Floats = NDArray[np.float64]
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Scores:
    """What a trunk gets wrong of the source, sample by sample.

    Attributes:
        wrong: (N,) 1 for a wrong class and 0 for a right one; or the nats of a document's tokens.
        terms: (N,) what that is a sum over: 1, or how many tokens.
    """

    wrong: Floats
    terms: Floats

    @property
    def rate(self) -> float:
        """Wrong per term."""
        return float(self.wrong.sum() / max(self.terms.sum(), 1))


class Measure(Protocol):
    """A way to ask a trunk what it still knows of its source.

    Attributes:
        metric: What `value` is.
        samples: N samples of the source.
        classes: How many classes are told apart; 0 for language.
        strata: N numbers, those of the samples' classes.
        groups: N numbers, shared by samples that nothing may part.
    """

    @property
    def metric(self) -> str:
        """What `value` is."""
        ...

    @property
    def samples(self) -> tuple[Sample, ...]:
        """N samples of the source."""
        ...

    @property
    def classes(self) -> int:
        """How many classes are told apart; 0 for language."""
        ...

    @property
    def strata(self) -> Sequence[int]:
        """N numbers, those of the samples' classes."""
        ...

    @property
    def groups(self) -> Sequence[int]:
        """N numbers, shared by samples that nothing may part."""
        ...

    def part(self, rows: Sequence[int]) -> "Measure":
        """The same on some of the samples."""
        ...

    def scores(
        self,
        backbone: Backbone,
        *,
        store: ActivationStore | None = None,
        device: str = "cpu",
        progress: Progress | None = None,
    ) -> Scores:
        """What the trunk gets wrong."""
        ...

    def value(self, rate: float) -> float:
        """A rate of wrong in the metric's unit."""
        ...

    def lost(self, before: float, after: float) -> float:
        """How much worse one rate is than another, as a share."""
        ...


@dataclass(frozen=True)
class Forgotten:
    """What the original head can do on source data, before and after tuning.

    Attributes:
        metric: `source_accuracy`, among the classes that the data and the head share; `masked_perplexity`; `perplexity`.
        before: With the trunk as it was.
        after: With the tuned trunk.
        lost: Accuracy: `before - after`. Perplexity: the share that it rose by, `after / before - 1`.
        low: Of its paired 95 % bootstrap interval over samples.
        high: Of the same.
        samples: N.
        classes: How many classes are shared; 0 for language.
    """

    metric: str
    before: float
    after: float
    lost: float
    low: float
    high: float
    samples: int
    classes: int


def forgotten(measure: Measure, before: Scores, after: Scores) -> Forgotten:
    """What was lost between two trunks, from their scores on the same samples."""

    def metrics(rows: Ints) -> dict[str, float]:
        first, second = (Scores(one.wrong[rows], one.terms[rows]).rate for one in (before, after))
        return {"before": measure.value(first), "after": measure.value(second), "lost": measure.lost(first, second)}

    found = bootstrap(len(before.wrong), metrics)
    low, high = found.intervals["lost"]
    return Forgotten(
        measure.metric, **found.metrics, low=low, high=high, samples=len(before.wrong), classes=measure.classes
    )


def upper_loss(measure: Measure, before: Scores, after: Scores, margin: float) -> float:
    """The loss if the rate were `margin` standard errors worse than it is.

    The standard error is that of a ratio of sums over samples (Cochran 1977, section 6.4), and at least that of one
    changed answer: that none has changed on a few samples does not say that none would.
    """
    worse = after.rate - before.rate
    residual = after.wrong - before.wrong - worse * before.terms
    error = float(np.sqrt(max((residual**2).sum(), 1.0)) / max(before.terms.sum(), 1))
    return measure.lost(before.rate, before.rate + worse + margin * error)
