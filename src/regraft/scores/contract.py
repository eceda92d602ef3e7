"""What every score is given, and what it says of itself."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from regraft.scores.spectrum import Spectrum

Floats = NDArray[np.float64]
Features = NDArray[np.float32]
Ints = NDArray[np.int64]

Needs = Literal["classes", "quantities", "source-head"]


@dataclass(frozen=True)
class ScoreInputs:
    """Arrays of one task on one trunk; what several scores need of them is computed once.

    Attributes:
        features: (N, D) float32, pooled features of the last stage.
        targets: (N,) class numbers 0 to C - 1 (int64), or quantities (float64).
        classes: C; 0 for quantities.
        source: (N, K) probabilities that the original head gives its own K classes; None where there is no such head.
        groups: (N,) a number that samples which belong together share: none of them is foretold by the others; None =
            each sample is alone.
    """

    features: Features
    targets: NDArray[np.int64] | NDArray[np.float64]
    classes: int
    source: Floats | None = None
    groups: Ints | None = None

    @functools.cached_property
    def centred(self) -> Spectrum:
        """Of the features less their mean."""
        return Spectrum.of(self.features, centre=True)

    @functools.cached_property
    def one_hot(self) -> Floats:
        """(N, C) with a 1 at each sample's class; (N, 1) of quantities, standardised."""
        if not self.classes:
            values = np.asarray(self.targets, dtype=np.float64)
            found: Floats = ((values - values.mean()) / max(float(values.std()), 1e-12))[:, None]
            return found
        return np.eye(self.classes)[self.targets.astype(np.int64)]

    @functools.cached_property
    def counts(self) -> Ints:
        """(C,) samples of each class."""
        return np.bincount(self.targets.astype(np.int64), minlength=self.classes)


@dataclass(frozen=True)
class Score:
    """How well a trunk's features suit a task, told without training it.

    Attributes:
        name: As in `score/NAME`.
        compute: From the arrays to the score; it keeps no state.
        needs: Kinds of input without which it says nothing.
        meaning: What the number is, in words that can be read aloud.
        higher_is_better: Whether a larger score means a better trunk.
    """

    name: str
    compute: Callable[[ScoreInputs], float]
    needs: tuple[Needs, ...]
    meaning: str
    higher_is_better: bool = True

    def fits(self, inputs: ScoreInputs) -> bool:
        """Whether the inputs hold what it needs."""
        if "source-head" in self.needs and inputs.source is None:
            return False
        return ("classes" if inputs.classes else "quantities") in self.needs
