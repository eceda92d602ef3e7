"""A regressor of texts."""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.base import RegressorMixin
from sklearn.utils import assert_all_finite

from regraft.core import Sample
from regraft.predicting.answers import Quantity
from regraft.sklearn.base import USELESS_WITH_TEXTS, Estimator
from regraft.sklearn.inputs import quantities_of, texts_of
from regraft.sklearn.refusals import as_value_error
from regraft.sklearn.task import Targets

COARSEST = 1e-3  # of the standard deviation: what float32, in which heads compute, may round a quantity by


class TextRegressor(RegressorMixin, Estimator):  # type: ignore[misc]
    """A regressor of texts, or of pairs of texts.

    X is what `TextClassifier` takes, y are numbers; `score` is R2, the share of their variance that is explained.

    Example:
        >>> texts, prices = ["a small flat", "a tiny room", "a large villa", "a huge palace"], [90.0, 50.0, 700.0, 990.0]
        >>> model = TextRegressor(validation_share=0).fit(texts, prices)
        >>> bool(model.predict(["a big castle"])[0] > model.predict(["a little cabin"])[0])
        True
    """

    _kind = "text-regression"
    _useless: ClassVar = {**USELESS_WITH_TEXTS, "label_smoothing": "has no classes to spread a target over"}

    def predict(self, X: Any) -> NDArray[np.float64]:  # noqa: N803
        """The quantity of each sample, (N,) float64, in the unit of `y`."""
        with self._read(X) as samples, as_value_error():
            found = self.model_.predict(samples)
        return np.array([one.value for one in found if isinstance(one, Quantity)], dtype=np.float64)

    @contextmanager
    def _samples(self, X: Any) -> Iterator[Sequence[Sample]]:  # noqa: N803
        yield texts_of(X, type(self).__name__)

    def _targets(self, given: NDArray[Any]) -> Targets:
        reader = type(self).__name__
        values = quantities_of(given, reader)
        assert_all_finite(values, estimator_name=reader, input_name="y")
        if (values == values[0]).all():
            samples = f"{len(values)} sample{'s' if len(values) > 1 else ''}"
            raise ValueError(f"y has one value, {values[0]:g}, in {samples}; {reader} needs two or more")
        with np.errstate(over="ignore"):
            rounding, spread = float(np.abs(values - values.astype(np.float32)).max()), float(values.std())
        if rounding == math.inf or rounding > COARSEST * spread:
            raise ValueError("y has values that 32 bits do not tell apart; subtract their mean, or scale them")
        return Targets(values.tolist())
