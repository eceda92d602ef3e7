"""What all estimators do: fit, transform, pickle, and tell scikit-learn what they are."""

import os
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields
from numbers import Integral, Real
from pathlib import Path
from typing import Any, ClassVar, Self, get_args

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import check_consistent_length, check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted, column_or_1d

from regraft import api
from regraft.activations.pairs import head_features
from regraft.core import Sample, TextSample
from regraft.core.plan import BatchNorm
from regraft.core.task import TaskKind
from regraft.heads.building import PAIR_PARTS
from regraft.model import Model
from regraft.running import resolve_device
from regraft.sklearn.refusals import as_value_error
from regraft.sklearn.task import Targets, task_of

MOST_SEED = 1 << 31
TEXT_FORMS = {False: "single texts", True: "pairs of texts"}
USELESS_WITH_TEXTS = {
    "augment": "reads texts, which have no random views",
    "batch_norm": "reads texts, whose networks have no BatchNorm",
}


class Estimator(TransformerMixin, BaseEstimator, ABC):  # type: ignore[misc]
    """What all of them do; parameters are those of `regraft.fit`, `regraft.Settings` and `regraft.Resources`.

    Beside these, `validation_share` of the samples is held out to choose epochs by, and `random_state` seeds all that
    is random.
    """

    _kind: ClassVar[TaskKind]
    _useless: ClassVar[Mapping[str, str]] = {}  # parameters that this kind has no use for, and why
    _parameter_constraints: ClassVar = {
        "strategy": [str],
        "backbone": [str, os.PathLike],
        "boundary": [str, None],
        "head": [str, None],
        "epochs": [Interval(Integral, 1, None, closed="left"), None],
        "learning_rate": [Interval(Real, 0, None, closed="neither"), None],
        "layer_decay": [Interval(Real, 0, 1, closed="right"), None],
        "batch_size": [Interval(Integral, 1, None, closed="left"), None],
        "weight_decay": [Interval(Real, 0, None, closed="left"), None],
        "label_smoothing": [Interval(Real, 0, 1, closed="left"), None],
        "patience": [Interval(Integral, 0, None, closed="left"), None],
        "rank": [Interval(Integral, 1, None, closed="left"), None],
        "batch_norm": [StrOptions(set(get_args(BatchNorm))), None],
        "augment": ["boolean", None],
        "penalty": [StrOptions({"l2-sp", "lwf"}), None],  # `replay` needs data of the source
        "penalty_strength": [Interval(Real, 0, None, closed="left"), None],
        "cache": ["boolean", None],
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
        layer_decay: float | None = None,
        batch_size: int | None = None,
        weight_decay: float | None = None,
        label_smoothing: float | None = None,
        patience: int | None = None,
        rank: int | None = None,
        batch_norm: str | None = None,
        augment: bool | None = None,
        penalty: str | None = None,
        penalty_strength: float | None = None,
        cache: bool | None = None,
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
        self.layer_decay = layer_decay
        self.batch_size = batch_size
        self.weight_decay = weight_decay
        self.label_smoothing = label_smoothing
        self.patience = patience
        self.rank = rank
        self.batch_norm = batch_norm
        self.augment = augment
        self.penalty = penalty
        self.penalty_strength = penalty_strength
        self.cache = cache
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
            y: (N,) what is to be predicted; at least two different values.

        Raises:
            ValueError: X, y or a parameter cannot be used; the message says why.
        """
        self._validate_params()
        for name, why in self._useless.items():
            if getattr(self, name) is not None:
                raise ValueError(f"{name}: {type(self).__name__} {why}; leave it out")
        if y is None:
            raise ValueError(f"{type(self).__name__} requires y to be passed, but the target y is None")
        seed = int(check_random_state(self.random_state).randint(MOST_SEED))
        with self._samples(X) as samples, as_value_error():
            given = column_or_1d(y, warn=True)
            check_consistent_length(samples, given)
            targets = self._targets(given)
            self.model_: Model = api.fit(
                task_of(self._kind, samples, targets, self.validation_share, seed),
                self.strategy,
                backbone=os.fspath(self.backbone),
                settings=self._settings(seed),
                resources=self._resources(),
            )
            if isinstance(samples[0], TextSample):
                self.n_features_in_ = 1 + _are_pairs(samples)
        if targets.classes is not None:
            self.classes_ = targets.classes
        return self

    def transform(self, X: Any) -> NDArray[np.float32]:  # noqa: N803
        """Pooled features of the fitted trunk's last stage, (N, D) float32.

        Where a solved head reads pairs of texts, (N, 3 D) as it reads them: the pair's own features, and how those of
        its two halves differ and agree.
        """
        with self._read(X) as samples, as_value_error():
            features, _ = head_features(
                self.model_.backbone,
                samples,
                None if self.cache is False else self._resources().store(),
                reads=self.model_.head.reads,
                device=resolve_device(self.device),
                precision="fp32",
            )
        return features

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[Any]:
        """Names of the columns of `transform`."""
        check_is_fitted(self, "model_")
        width = self.model_.backbone.outline.stages[-1].width
        width *= PAIR_PARTS if self.model_.head.reads == "pairs" else 1
        return np.array([f"{type(self).__name__.lower()}{column}" for column in range(width)], dtype=object)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.string = self._kind.startswith("text")
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

    def _settings(self, seed: int) -> api.Settings:
        given = {one.name: _plain(getattr(self, one.name)) for one in fields(api.Settings) if one.name != "seed"}
        return api.Settings(**given, seed=seed)

    def _resources(self) -> api.Resources:
        cache = None if self.cache_dir is None else Path(self.cache_dir)
        return api.Resources(self.device, self.precision, cache, self.offline)

    @contextmanager
    def _read(self, X: Any) -> Iterator[Sequence[Sample]]:  # noqa: N803
        """X as samples of the form that the estimator was fitted on."""
        check_is_fitted(self, "model_")
        with self._samples(X) as samples:
            pairs = _are_pairs(samples)
            if pairs != self.model_.pairs:
                given, fitted = (TEXT_FORMS[one] for one in (pairs, bool(self.model_.pairs)))
                raise ValueError(f"X has {given}, but this {type(self).__name__} was fitted on {fitted}")
            yield samples

    @abstractmethod
    @contextmanager
    def _samples(self, X: Any) -> Iterator[Sequence[Sample]]:  # noqa: N803
        """X as samples, for as long as they are read."""
        raise NotImplementedError
        yield []

    @abstractmethod
    def _targets(self, given: NDArray[Any]) -> Targets:
        """What is to be learnt, of (N,) that the user gave.

        Raises:
            ValueError: It cannot be.
        """


def _plain(value: Any) -> Any:
    """A number of Python's for one of numpy's, as a search gives it."""
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, Integral):
        return int(value)
    return float(value) if isinstance(value, Real) else value


def _are_pairs(samples: Sequence[Sample]) -> bool:
    return isinstance(samples[0], TextSample) and samples[0].text_pair is not None
