"""scikit-learn estimators over `regraft.fit`: for pipelines, grid searches and cross-validation."""

import hashlib
import os
import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from numbers import Integral, Real
from pathlib import Path
from typing import Any, ClassVar, Self, cast

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin
from sklearn.utils import check_consistent_length, check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, column_or_1d

from regraft import api
from regraft.activations.pairs import head_features
from regraft.core import InputError, Sample, Split, Task, TextSample
from regraft.core.task import TaskKind
from regraft.model import Model
from regraft.running import resolve_device
from regraft.sklearn_inputs import pictures_of, texts_of
from regraft.tasks.splits import held_out

__all__ = ["ImageClassifier", "TextClassifier"]

MOST_SEED = 1 << 31
PARAMETERS = {
    "--strategy": "strategy",
    "--backbone": "backbone",
    "--boundary": "boundary",
    "--head": "head",
    "--epochs": "epochs",
    "--lr": "learning_rate",
    "--batch-size": "batch_size",
    "--device": "device",
    "--precision": "precision",
    "--cache-dir": "cache_dir",
    "--offline": "offline",
}
OPTION = re.compile("|".join(rf"{option}\b" for option in PARAMETERS))


class _Classifier(ClassifierMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """What both classifiers do; parameters are those of `regraft.fit` and its settings."""

    _kind: TaskKind
    _parameter_constraints: ClassVar = {
        "strategy": [str],
        "backbone": [str, os.PathLike],
        "boundary": [str, None],
        "head": [str, None],
        "epochs": [Interval(Integral, 1, None, closed="left"), None],
        "learning_rate": [Interval(Real, 0, None, closed="neither"), None],
        "batch_size": [Interval(Integral, 1, None, closed="left"), None],
        "validation_share": [Interval(Real, 0, 1, closed="left")],
        "device": [str],
        "precision": [StrOptions({"auto", "fp32", "bf16", "int8"})],
        "cache_dir": [str, os.PathLike, None],
        "offline": ["boolean"],
        "random_state": ["random_state"],
    }

    def __init__(  # noqa: PLR0913 - scikit-learn wants every parameter here
        self,
        *,
        strategy: str = "feature-extraction",
        backbone: str = "auto",
        boundary: str | None = None,
        head: str | None = None,
        epochs: int | None = None,
        learning_rate: float | None = None,
        batch_size: int | None = None,
        validation_share: float = 0.2,
        device: str = "auto",
        precision: str = "auto",
        cache_dir: str | None = None,
        offline: bool = False,
        random_state: Any = 0,
    ) -> None:
        self.strategy = strategy
        self.backbone = backbone
        self.boundary = boundary
        self.head = head
        self.epochs = epochs
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.validation_share = validation_share
        self.device = device
        self.precision = precision
        self.cache_dir = cache_dir
        self.offline = offline
        self.random_state = random_state

    def fit(self, X: Any, y: Any) -> Self:  # noqa: N803 - scikit-learn's name
        """Graft a head on the backbone and train it.

        Args:
            X: N samples.
            y: (N,) labels of any type that numpy can sort; at least two different ones.

        Raises:
            ValueError: X, y or a parameter cannot be used; the message says why.
        """
        self._validate_params()
        if y is None:
            raise ValueError(f"{type(self).__name__} requires y to be passed, but the target y is None")
        seed = int(check_random_state(self.random_state).randint(MOST_SEED))
        with self._samples(X) as samples, _as_value_error():
            labels = column_or_1d(y, warn=True)
            check_classification_targets(labels)
            check_consistent_length(samples, labels)
            classes, targets = np.unique(labels, return_inverse=True)
            if len(classes) < 2:
                raise ValueError(f"y has one class, {classes.tolist()}; {type(self).__name__} needs two or more")
            task = self._task(samples, targets, tuple(map(str, classes.tolist())), seed)
            settings = api.Settings(
                boundary=self.boundary,
                head=cast("Any", self.head),  # refused with a message if it is none
                epochs=None if self.epochs is None else int(self.epochs),  # a search gives numpy's numbers
                learning_rate=None if self.learning_rate is None else float(self.learning_rate),
                batch_size=None if self.batch_size is None else int(self.batch_size),
                seed=seed,
            )
            self.model_: Model = api.fit(
                task, self.strategy, backbone=os.fspath(self.backbone), settings=settings, resources=self._resources()
            )
            if isinstance(samples[0], TextSample):
                self.n_features_in_ = _columns(samples[0])
        self.classes_ = classes
        return self

    def predict_proba(self, X: Any) -> NDArray[np.float64]:  # noqa: N803
        """Class probabilities, (N, C), columns as `classes_`."""
        with self._read(X) as samples, _as_value_error():
            return self.model_.probabilities(samples)

    def predict(self, X: Any) -> NDArray[Any]:  # noqa: N803
        """The most probable label of each sample, (N,), of the type that `y` had."""
        shares = self.predict_proba(X)
        labels: NDArray[Any] = self.classes_[shares.argmax(axis=1)]
        return labels

    def transform(self, X: Any) -> NDArray[np.float32]:  # noqa: N803
        """Pooled features of the fitted trunk's last stage, (N, D) float32."""
        with self._read(X) as samples, _as_value_error():
            features, _ = head_features(
                self.model_.backbone,
                samples,
                self._resources().store(),
                reads="pooled",
                device=resolve_device(self.device),
                precision="fp32",
            )
        return features

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[Any]:
        """Names of the columns of `transform`."""
        check_is_fitted(self, "model_")
        width = self.model_.backbone.outline.stages[-1].width
        return np.array([f"{type(self).__name__.lower()}{column}" for column in range(width)], dtype=object)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.string = self._kind == "text-classification"
        tags.target_tags.required = True
        tags.transformer_tags.preserves_dtype = []  # features are float32, as the trunk computes them
        tags.no_validation = True
        return tags

    def __getstate__(self) -> dict[str, Any]:
        """The parameters and, of a fitted one, the files of its model: safetensors and JSON, nothing else."""
        state: dict[str, Any] = super().__getstate__()
        if "model_" not in state:
            return state
        with tempfile.TemporaryDirectory() as folder:
            place = self.model_.save(Path(folder) / "model")
            files = {str(file.relative_to(place)): file.read_bytes() for file in place.rglob("*") if file.is_file()}
        return {**state, "model_": files}

    def __setstate__(self, state: dict[str, Any]) -> None:
        files = state.get("model_")
        if isinstance(files, dict):
            with tempfile.TemporaryDirectory() as folder:
                for name, content in files.items():
                    (Path(folder) / name).parent.mkdir(parents=True, exist_ok=True)
                    (Path(folder) / name).write_bytes(content)
                state = {**state, "model_": api.load(folder, device=state["device"])}
        super().__setstate__(state)

    def _resources(self) -> api.Resources:
        cache = None if self.cache_dir is None else Path(self.cache_dir)
        return api.Resources(self.device, self.precision, cache, self.offline)

    def _task(self, samples: Sequence[Sample], targets: NDArray[np.int64], classes: tuple[str, ...], seed: int) -> Task:
        """The samples with a stratified part held out for choosing epochs and strength."""
        labels = [classes[target] for target in targets]
        first = {sample.digest: position for position, sample in reversed(list(enumerate(samples)))}
        groups = [first[sample.digest] for sample in samples]  # twins must not stand on both sides
        held = held_out(labels, groups, self.validation_share, seed) if self.validation_share else set()
        parts = {
            name: Split(tuple(samples[row] for row in rows), tuple(int(targets[row]) for row in rows))
            for name, rows in (
                ("train", [row for row in range(len(samples)) if row not in held]),
                ("validation", sorted(held)),
            )
        }
        digest = hashlib.sha256(
            "".join(f"{one.digest}{label}" for one, label in zip(samples, labels, strict=True)).encode()
        )
        return Task("samples", self._kind, classes, parts, fingerprint=digest.hexdigest())

    @contextmanager
    def _read(self, X: Any) -> Iterator[Sequence[Sample]]:  # noqa: N803
        """X as samples of the form that the estimator was fitted on."""
        check_is_fitted(self, "model_")
        with self._samples(X) as samples:
            if isinstance(samples[0], TextSample) and _columns(samples[0]) != self.n_features_in_:
                forms = {1: "single texts", 2: "pairs of texts"}
                given, fitted = forms[_columns(samples[0])], forms[self.n_features_in_]
                raise ValueError(f"X has {given}, but this {type(self).__name__} was fitted on {fitted}")
            yield samples

    @contextmanager
    def _samples(self, X: Any) -> Iterator[Sequence[Sample]]:  # noqa: N803
        """X as samples, for as long as they are read."""
        raise NotImplementedError
        yield []


class TextClassifier(_Classifier):
    """A classifier of texts.

    X is a sequence of strings: a list, an array, a column of a data frame; (N, 1) as a `ColumnTransformer` gives it,
    or (N, 2) for pairs of texts, will do too.

    Example:
        >>> texts, labels = ["where is my order", "it has not come", "thank you", "great shop"], ["late", "late", "ok", "ok"]
        >>> TextClassifier(validation_share=0).fit(texts, labels).predict(["my parcel is late"]).tolist()
        ['late']
    """

    _kind = "text-classification"

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


def _columns(sample: TextSample) -> int:
    return 1 if sample.text_pair is None else 2


@contextmanager
def _as_value_error() -> Iterator[None]:
    """Regraft's refusals as what scikit-learn's users expect, with parameters for the command line's options."""
    try:
        yield
    except InputError as error:
        raise ValueError(OPTION.sub(lambda found: PARAMETERS[found[0]], str(error))) from error
