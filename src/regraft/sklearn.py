"""scikit-learn estimators over `regraft.fit`: for pipelines, grid searches and cross-validation."""

import hashlib
import io
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin
from sklearn.utils import check_consistent_length, check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, column_or_1d

from regraft import api
from regraft.activations.pairs import head_features
from regraft.core import ImageSample, InputError, Sample, Split, Task, TextSample
from regraft.core.task import TaskKind
from regraft.model import Model
from regraft.running import resolve_device
from regraft.tasks.splits import held_out

__all__ = ["ImageClassifier", "TextClassifier"]

MOST_SEED = 1 << 31


class _Classifier(ClassifierMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """What both classifiers do; parameters are those of `regraft.fit` and its settings."""

    _kind: TaskKind

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
        seed = int(check_random_state(self.random_state).randint(MOST_SEED))
        with self._samples(X) as samples, _as_value_error():
            labels = column_or_1d(y, warn=True)
            check_classification_targets(labels)
            check_consistent_length(samples, labels)
            classes, targets = np.unique(labels, return_inverse=True)
            if len(classes) < 2:
                raise ValueError(f"{type(self).__name__} needs samples of two classes; y has {classes.tolist()}")
            task = self._task(samples, targets, tuple(map(str, classes.tolist())), seed)
            settings = api.Settings(
                boundary=self.boundary,
                head=cast("Any", self.head),  # refused with a message if it is none
                epochs=self.epochs,
                learning_rate=self.learning_rate,
                batch_size=self.batch_size,
                seed=seed,
            )
            self.model_: Model = api.fit(
                task, self.strategy, backbone=self.backbone, settings=settings, resources=self._resources()
            )
        self.classes_ = classes
        return self

    def predict_proba(self, X: Any) -> NDArray[np.float64]:  # noqa: N803
        """Class probabilities, (N, C), columns as `classes_`."""
        check_is_fitted(self, "model_")
        with self._samples(X) as samples, _as_value_error():
            return self.model_.probabilities(samples)

    def predict(self, X: Any) -> NDArray[Any]:  # noqa: N803
        """The most probable label of each sample, (N,), of the type that `y` had."""
        shares = self.predict_proba(X)
        labels: NDArray[Any] = self.classes_[shares.argmax(axis=1)]
        return labels

    def transform(self, X: Any) -> NDArray[np.float32]:  # noqa: N803
        """Pooled features of the fitted trunk's last stage, (N, D) float32."""
        check_is_fitted(self, "model_")
        with self._samples(X) as samples, _as_value_error():
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
        if not 0 <= self.validation_share < 1:
            raise ValueError(f"validation_share is {self.validation_share}; give a share from 0 to below 1")
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
    def _samples(self, X: Any) -> Iterator[list[Sample]]:  # noqa: N803
        """X as samples, for as long as they are read."""
        raise NotImplementedError
        yield []


class TextClassifier(_Classifier):
    """A classifier of texts.

    X is a sequence of strings; (N, 1) as a `ColumnTransformer` gives it, or (N, 2) for pairs of texts, will do too.

    Example:
        >>> texts, labels = ["where is my order", "it has not come", "thank you", "great shop"], ["late", "late", "ok", "ok"]
        >>> TextClassifier(validation_share=0).fit(texts, labels).predict(["my parcel is late"]).tolist()
        ['late']
    """

    _kind = "text-classification"

    @contextmanager
    def _samples(self, X: Any) -> Iterator[list[Sample]]:  # noqa: N803
        if isinstance(X, str):
            raise ValueError("X is one string; give a sequence of texts, such as [text]")
        rows = np.asarray(X, dtype=object)
        rows = rows[:, None] if rows.ndim == 1 else rows
        if rows.ndim != 2 or rows.shape[1] not in {1, 2}:
            raise ValueError(f"X has the shape {rows.shape}; give texts as (N,) or (N, 1), or pairs as (N, 2)")
        wrong = [row for row, cells in enumerate(rows) if not all(isinstance(cell, str) for cell in cells)]
        if wrong or not len(rows):
            what = f"sample {wrong[0]} is {rows[wrong[0]].tolist()}" if wrong else "X is empty: 0 samples"
            raise ValueError(f"{what}; {type(self).__name__} reads texts")
        yield [TextSample(f"X[{row}]", *cells) for row, cells in enumerate(rows.tolist())]


class ImageClassifier(_Classifier):
    """A classifier of pictures.

    X is a sequence of paths, of PIL pictures, or of uint8 arrays (H, W), (H, W, 1) or (H, W, 3).
    """

    _kind = "image-classification"

    @contextmanager
    def _samples(self, X: Any) -> Iterator[list[Sample]]:  # noqa: N803
        if isinstance(X, str | os.PathLike):
            raise ValueError("X is one path; give a sequence of pictures, such as [path]")
        with tempfile.TemporaryDirectory(prefix="regraft-") as folder:
            samples: list[Sample] = []
            for row, one in enumerate(X):
                content = Path(one).read_bytes() if isinstance(one, str | os.PathLike) else _png(row, one)
                digest = hashlib.sha256(content).hexdigest()
                path = Path(one) if isinstance(one, str | os.PathLike) else Path(folder) / f"{digest}.png"
                if not path.exists():
                    path.write_bytes(content)
                samples.append(ImageSample(f"X[{row}]", str(path), digest))
            if not samples:
                raise ValueError(f"X is empty: 0 samples; {type(self).__name__} reads pictures")
            yield samples


def _png(row: int, picture: Any) -> bytes:
    """A picture in memory as a file's bytes, without loss."""
    if not isinstance(picture, Image.Image):
        values = np.asarray(picture)
        values = values[..., 0] if values.ndim == 3 and values.shape[2] == 1 else values
        if values.dtype != np.uint8 or values.ndim not in {2, 3} or (values.ndim == 3 and values.shape[2] != 3):
            raise ValueError(
                f"sample {row} is {values.dtype} of shape {values.shape}; give paths, PIL pictures, or uint8 arrays (H, W) or (H, W, 3)"
            )
        picture = Image.fromarray(values)
    file = io.BytesIO()
    picture.save(file, "png")
    return file.getvalue()


@contextmanager
def _as_value_error() -> Iterator[None]:
    """Regraft's refusals as what scikit-learn's users expect."""
    try:
        yield
    except InputError as error:
        raise ValueError(str(error)) from error
