"""The scikit-learn contract: scikit-learn's own checks where they fit texts and pictures, and its tools."""

import pickle
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from scipy.sparse import csr_array
from sklearn.base import clone, is_classifier
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_digits
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.utils import estimator_checks
from sklearn.utils.validation import validate_data

from regraft import api
from regraft.core import Sample, TextSample
from regraft.demo import intents_folder
from regraft.sklearn import ImageClassifier, TextClassifier

SLOW = ("check_classifiers_train", "check_classifiers_classes", "check_estimators_dtypes")  # seconds each


class PicturesOfNumbers(ImageClassifier):
    """Rows of numbers as striped pictures, so that scikit-learn's checks have something to give."""

    @contextmanager
    def _samples(self, X: Any) -> Iterator[Sequence[Sample]]:  # noqa: N803
        rows = validate_data(self, X, reset=not hasattr(self, "model_"))
        pixels = ((np.clip(rows, -5, 5) + 5) * 25.5).astype(np.uint8)
        with super()._samples([np.tile(np.repeat(row, 8), (8, 1)) for row in pixels]) as samples:
            yield samples

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array, tags.no_validation = True, False
        return tags


def own_checks() -> Iterator[Any]:
    """scikit-learn's checks of every classifier and transformer; all are expected to pass."""
    estimator = PicturesOfNumbers(backbone="scratch:test_resnet", validation_share=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for number, (one, check) in enumerate(estimator_checks.estimator_checks_generator(estimator)):
            name = getattr(check, "func", check).__name__
            yield pytest.param(one, check, id=f"{name}-{number}", marks=[pytest.mark.slow] if name in SLOW else [])


def intents(split: str, share: int = 1) -> tuple[list[str], list[str]]:
    task = api.open_task(intents_folder())
    part = task.splits[split]
    rows = range(0, len(part), share)
    samples = [part.samples[row] for row in rows]
    return [one.text for one in samples if isinstance(one, TextSample)], [
        task.classes[part.targets[row]] for row in rows
    ]


@pytest.fixture(scope="module")
def texts() -> tuple[list[str], list[str]]:
    return intents("train", 3)


@pytest.fixture(scope="module")
def fitted(texts: tuple[list[str], list[str]]) -> TextClassifier:
    return TextClassifier().fit(*texts)


@pytest.mark.parametrize(("estimator", "check"), own_checks())
def test_scikit_learns_own_checks(estimator: Any, check: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        check(estimator)


def test_it_is_a_classifier_of_strings() -> None:
    assert is_classifier(TextClassifier())
    assert TextClassifier().__sklearn_tags__().input_tags.string
    assert not ImageClassifier().__sklearn_tags__().input_tags.two_d_array


def test_what_is_not_fitted_says_so() -> None:
    for call in ("predict", "predict_proba", "transform"):
        with pytest.raises(NotFittedError):
            getattr(TextClassifier(), call)(["x"])


def test_probabilities_and_labels_go_together(fitted: TextClassifier, texts: tuple[list[str], list[str]]) -> None:
    inputs = texts[0][:10]
    shares = fitted.predict_proba(inputs)
    assert shares.shape == (10, len(fitted.classes_))
    np.testing.assert_allclose(shares.sum(axis=1), 1)
    assert fitted.predict(inputs).tolist() == fitted.classes_[shares.argmax(axis=1)].tolist()
    np.testing.assert_allclose(fitted.predict_proba(inputs[::-1])[::-1], shares, atol=1e-5)
    np.testing.assert_allclose(fitted.predict_proba(inputs[3:4])[0], shares[3], atol=1e-5)


def test_parameters_stay_as_they_were_given(fitted: TextClassifier) -> None:
    assert fitted.get_params() == TextClassifier().get_params()
    assert clone(fitted).get_params() == fitted.get_params()
    assert not hasattr(clone(fitted), "model_")


def test_the_same_seed_gives_the_same_model(texts: tuple[list[str], list[str]]) -> None:
    inputs, labels = texts[0][::3], texts[1][::3]
    first, second = (TextClassifier(random_state=3).fit(inputs, labels).predict_proba(inputs[:5]) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_it_is_as_good_as_a_probe_by_hand(fitted: TextClassifier, texts: tuple[list[str], list[str]]) -> None:
    held = intents("test")
    by_hand = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=1000))
    by_hand.fit(fitted.transform(texts[0]), texts[1])
    assert fitted.score(*held) >= by_hand.score(fitted.transform(held[0]), held[1]) - 0.05
    assert len(fitted.get_feature_names_out()) == fitted.transform(held[0][:1]).shape[1]


@pytest.mark.parametrize("labels", [[0, 1], [True, False], ["a", "b"], [10, -3], [1.0, 2.0]])
def test_labels_keep_their_type(labels: list[Any]) -> None:
    inputs = [f"{word} {i}" for i in range(8) for word in ("sunny weather", "stock market")]
    model = TextClassifier().fit(inputs, np.array(labels * 8))
    assert model.predict(["sunny weather today"]).dtype == np.array(labels).dtype
    assert model.predict(["sunny weather today"])[0] == labels[0]


def test_a_fitted_model_survives_pickling(fitted: TextClassifier) -> None:
    again = pickle.loads(pickle.dumps(fitted))  # noqa: S301 - our own bytes
    np.testing.assert_array_equal(again.predict_proba(["where is it"]), fitted.predict_proba(["where is it"]))


def test_pipelines_searches_and_columns(texts: tuple[list[str], list[str]]) -> None:
    inputs, labels = np.array(texts[0], dtype=object), np.array(texts[1])
    lower = FunctionTransformer(lambda values: [value.lower() for value in values])
    search = GridSearchCV(
        make_pipeline(lower, TextClassifier(epochs=5)), {"textclassifier__head": ["linear", "mlp"]}, cv=2
    )
    search.fit(inputs, labels)
    assert search.best_score_ > 0.2
    assert cross_val_score(TextClassifier(), inputs, labels, cv=2).mean() > 0.5
    frame = pd.DataFrame({"message": texts[0], "length": [len(one) for one in texts[0]]})
    columns = ColumnTransformer([("text", TextClassifier(), ["message"]), ("number", "passthrough", ["length"])])
    assert columns.fit_transform(frame, labels).shape == (len(labels), 385)


@pytest.mark.parametrize("form", ["paths", "pictures", "arrays"])
def test_pictures_in_every_form(form: str, tmp_path: Path) -> None:
    data = load_digits()
    arrays = [(data.images[i] * 15).astype("uint8") for i in range(60)]
    given: list[Any] = arrays
    if form != "arrays":
        given = [Image.fromarray(one) for one in arrays]
    if form == "paths":
        for number, one in enumerate(given):
            one.save(tmp_path / f"{number}.png")
        given = [tmp_path / f"{number}.png" for number in range(60)]
    model = ImageClassifier(backbone="scratch:test_resnet").fit(given, data.target[:60])
    assert model.predict(given).shape == (60,)
    assert model.score(given, data.target[:60]) > 0.3
    assert "<table>" in model.model_._repr_html_()


@pytest.mark.parametrize(
    ("inputs", "labels", "named"),
    [
        (["a", "b"], ["x", "x"], "one class"),
        (["a", "b"], None, "requires y"),
        (None, ["x", "y"], "X is None; TextClassifier reads texts"),
        (7, ["x", "y"], "X is an int"),
        ({"a", "b"}, ["x", "y"], "X is a set"),
        (csr_array(np.eye(2)), ["x", "y"], "X is a csr_array"),
        (np.eye(2)[:, :1], ["x", "y"], "sample 0 is 1.0"),
        (["a", None], ["x", "y"], "sample 1 is None"),
        ("a text", ["x"], "one string"),
        ([], [], "0 samples"),
        (["a", 3], ["x", "y"], "sample 1"),
        (["a", "b", "c"], ["x", "y"], "inconsistent numbers"),
        ([["a", "b", "c"]] * 2, ["x", "y"], "shape"),
        (["a", "b"], [0.5, 0.7], "continuous"),
    ],
)
def test_wrong_input_is_a_value_error(inputs: Any, labels: Any, named: str) -> None:
    with pytest.raises(ValueError, match=named):
        TextClassifier().fit(inputs, labels)


@pytest.mark.parametrize(
    ("parameters", "named"),
    [
        ({"strategy": "nonsense"}, "^strategy nonsense: there is auto"),
        ({"strategy": "lp-ft", "head": "cubic"}, "head cubic"),
        ({"epochs": 3}, "epochs: a logistic head is solved; use head linear"),  # no option of the command line
        ({"boundary": "nowhere"}, "^strategy feature-extraction: boundary nowhere|^boundary nowhere"),
        ({"validation_share": 2}, "validation_share"),
        ({"validation_share": "a"}, "validation_share"),
        ({"epochs": "3"}, "epochs"),
        ({"batch_size": 2.5}, "batch_size"),
        ({"learning_rate": -1}, "learning_rate"),
        ({"backbone": None}, "backbone"),
        ({"precision": "fp7"}, "precision"),
    ],
)
def test_a_wrong_parameter_is_a_value_error_that_names_it(parameters: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError, match=named) as error:
        TextClassifier(**parameters).fit(["good", "bad", "fine", "poor"], ["a", "b", "a", "b"])
    assert "--" not in str(error.value)


def test_numbers_of_a_search_are_taken() -> None:
    given = TextClassifier(strategy="lp-ft", epochs=np.int64(1), batch_size=np.int32(4), learning_rate=np.float32(1e-4))
    model = given.fit(["good", "bad", "fine", "poor"], ["a", "b", "a", "b"])
    assert pickle.loads(pickle.dumps(model)).predict(["good"]).shape == (1,)  # noqa: S301 - our own bytes


def test_single_texts_and_pairs_are_not_mixed(fitted: TextClassifier) -> None:
    with pytest.raises(ValueError, match="pairs of texts, but this TextClassifier was fitted on single texts"):
        fitted.predict(np.array([["a", "b"]], dtype=object))
    again = clone(fitted).fit(["good", "bad"], ["a", "b"])
    assert again.fit([("good", "bad"), ("bad", "good")], ["a", "b"]).n_features_in_ == 2  # a second fit may change it
