"""Classification metrics with bootstrap intervals, from targets and probabilities alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from regraft.core.display import html_table
from regraft.core.words import metric_said
from regraft.evaluating.bootstrap import Bootstrap, Floats, Ints, bootstrap

CALIBRATION_BINS = 15  # Guo 2017, "On Calibration of Modern Neural Networks", section 5


@dataclass(frozen=True)
class CalibrationBin:
    """One bin of a reliability diagram; shares are 0-1."""

    low: float
    high: float
    confidence: float
    accuracy: float
    samples: int


@dataclass(frozen=True)
class Evaluation:
    """How good predictions are.

    Attributes:
        metrics: Value by name; which there are depends on the kind of task.
        intervals: The 95 % percentile-bootstrap interval of each metric, as (low, high).
        confusion: (C, C) counts, row = true class, column = predicted class; empty without classes.
        calibration: The bins behind the calibration error; empty without class probabilities.
        samples: N.
        draws: Each metric on every resample; two evaluations of one split are paired resample by resample.
        groups: How many groups of samples that belong together were resampled; 0 = samples were, one by one.
    """

    metrics: Mapping[str, float]
    intervals: Mapping[str, tuple[float, float]]
    confusion: list[list[int]] = field(repr=False)
    calibration: tuple[CalibrationBin, ...] = field(repr=False)
    samples: int
    draws: Mapping[str, Floats] = field(default_factory=dict, repr=False)
    groups: int = 0

    @property
    def samples_said(self) -> str:
        """How many samples there are, and in how many groups where these were resampled."""
        return f"{self.samples:,} samples" + (f" in {self.groups:,} groups" if self.groups else "")

    def _repr_html_(self) -> str:
        rows = [
            (metric_said(name), f"{value:.3f}", "{:.3f} to {:.3f}".format(*self.intervals[name]))
            for name, value in self.metrics.items()
        ]
        return html_table((self.samples_said, "value", "95 % interval"), rows)

    @classmethod
    def of(
        cls,
        found: Bootstrap,
        samples: int,
        confusion: list[list[int]] | None = None,
        calibration: "tuple[CalibrationBin, ...]" = (),
    ) -> "Evaluation":
        """From bootstrapped metrics."""
        return cls(found.metrics, found.intervals, confusion or [], calibration, samples, found.draws, found.groups)


def evaluate_probabilities(
    targets: Ints, probabilities: Floats, *, seed: int = 0, together: Sequence[int] = ()
) -> Evaluation:
    """Metrics of class probabilities against the truth, each with a bootstrap interval.

    Args:
        targets: (N,) int, the true class of each sample.
        probabilities: (N, C) float, rows sum to 1.
        seed: Of the bootstrap over samples.
        together: (N,) a number for each sample, shared by those that belong together: groups are resampled then.

    Returns:
        `accuracy`, `balanced_accuracy`, `macro_f1`, `log_loss`, `calibration_error`.

    Example:
        >>> truth, sure = np.array([0, 1]), np.array([[0.9, 0.1], [0.2, 0.8]])
        >>> evaluate_probabilities(truth, sure).metrics["accuracy"]
        1.0
    """
    columns = _Columns.of(targets, probabilities)
    found = bootstrap(len(targets), columns.metrics, seed=seed, together=together)
    confusion = columns.confusion(np.arange(len(targets))).tolist()
    return Evaluation.of(found, len(targets), confusion, columns.reliability())


@dataclass(frozen=True)
class _Columns:
    """Per-sample columns from which every metric of any resample is a cheap reduction."""

    targets: Ints
    predicted: Ints
    confidence: Floats
    losses: Floats
    classes: int

    @classmethod
    def of(cls, targets: Ints, probabilities: Floats) -> "_Columns":
        predicted = probabilities.argmax(axis=1)
        # Clipped as scikit-learn's log_loss does, so that one sure mistake does not give infinity.
        smallest = np.finfo(probabilities.dtype).eps
        truth = probabilities[np.arange(len(targets)), targets].clip(smallest, 1)
        return cls(targets, predicted, probabilities.max(axis=1), -np.log(truth), probabilities.shape[1])

    def confusion(self, rows: Ints) -> Ints:
        """(C, C) counts over the given rows."""
        cells = self.targets[rows] * self.classes + self.predicted[rows]
        return np.bincount(cells, minlength=self.classes**2).reshape(self.classes, self.classes)

    def metrics(self, rows: Ints) -> dict[str, float]:
        """Every metric over the given rows; classes absent from truth and prediction do not count."""
        confusion = self.confusion(rows)
        hits, truths, guesses = confusion.diagonal(), confusion.sum(axis=1), confusion.sum(axis=0)
        present, used = truths > 0, truths + guesses > 0
        return {
            "accuracy": float(hits.sum() / len(rows)),
            "balanced_accuracy": float((hits[present] / truths[present]).mean()),
            "macro_f1": float((2 * hits[used] / (truths + guesses)[used]).mean()),
            "log_loss": float(self.losses[rows].mean()),
            "calibration_error": self._calibration_error(rows),
        }

    def _bins(self, rows: Ints) -> Ints:
        return np.minimum((self.confidence[rows] * CALIBRATION_BINS).astype(np.int64), CALIBRATION_BINS - 1)

    def _calibration_error(self, rows: Ints) -> float:
        """Expected calibration error with equal-width bins (Guo 2017, equation 3)."""
        right = (self.targets[rows] == self.predicted[rows]).astype(float)
        gaps = np.bincount(self._bins(rows), weights=right - self.confidence[rows], minlength=CALIBRATION_BINS)
        return float(np.abs(gaps).sum() / len(rows))

    def reliability(self) -> tuple[CalibrationBin, ...]:
        """The filled bins of the reliability diagram."""
        bins = self._bins(np.arange(len(self.targets)))
        right = self.targets == self.predicted
        return tuple(
            CalibrationBin(
                low=number / CALIBRATION_BINS,
                high=(number + 1) / CALIBRATION_BINS,
                confidence=float(self.confidence[bins == number].mean()),
                accuracy=float(right[bins == number].mean()),
                samples=int((bins == number).sum()),
            )
            for number in np.unique(bins).tolist()
        )
