"""Classifiers of texts and of pictures."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets

from regraft.core import Sample
from regraft.sklearn.base import USELESS_WITH_TEXTS, Estimator
from regraft.sklearn.inputs import pictures_of, texts_of
from regraft.sklearn.refusals import as_value_error
from regraft.sklearn.task import Targets


class _Classifier(ClassifierMixin, Estimator):  # type: ignore[misc]
    """What both classifiers do; labels are of any type that numpy can sort."""

    classes_: NDArray[Any]

    def predict_proba(self, X: Any) -> NDArray[np.float64]:  # noqa: N803
        """Class probabilities, (N, C), columns as `classes_`."""
        with self._read(X) as samples, as_value_error():
            return self.model_.probabilities(samples)

    def predict(self, X: Any) -> NDArray[Any]:  # noqa: N803
        """The most probable label of each sample, (N,), of the type that `y` had."""
        shares = self.predict_proba(X)
        labels: NDArray[Any] = self.classes_[shares.argmax(axis=1)]
        return labels

    def _targets(self, given: NDArray[Any]) -> Targets:
        check_classification_targets(given)
        classes, indices = np.unique(given, return_inverse=True)
        if len(classes) < 2:
            raise ValueError(f"y has one class, {classes.tolist()}; {type(self).__name__} needs two or more")
        return Targets(indices.tolist(), classes)


class TextClassifier(_Classifier):
    """A classifier of texts.

    X is a sequence of strings: a list, an array, a column of a data frame; (N, 1) as a `ColumnTransformer` gives it,
    or (N, 2) for pairs of texts, will do too.

    Example:
        >>> texts, labels = ["where is my order", "my parcel is late", "thank you", "great shop"], ["late", "late", "ok", "ok"]
        >>> TextClassifier(validation_share=0).fit(texts, labels).predict(["has my parcel come"]).tolist()
        ['late']
    """

    _kind = "text-classification"
    _useless = USELESS_WITH_TEXTS

    @contextmanager
    def _samples(self, X: Any) -> Iterator[Sequence[Sample]]:  # noqa: N803
        yield texts_of(X, type(self).__name__)


class ImageClassifier(_Classifier):
    """A classifier of pictures.

    X is a sequence of paths, of PIL pictures, or of uint8 arrays (H, W), (H, W, 1), (H, W, 3) or (H, W, 4), with
    transparency on white; a list, an array, or a column of a data frame.
    """

    _kind = "image-classification"

    @contextmanager
    def _samples(self, X: Any) -> Iterator[Sequence[Sample]]:  # noqa: N803
        with tempfile.TemporaryDirectory(prefix="regraft-") as folder:
            yield pictures_of(X, Path(folder), type(self).__name__)
