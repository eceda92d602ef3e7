"""Quantities of texts under scikit-learn: its own checks, its tools, and what is refused."""

import pickle
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone, is_regressor
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.utils import estimator_checks
from sklearn.utils.validation import validate_data

from regraft import api
from regraft.core import Sample
from regraft.sklearn import TextRegressor

SLOW = (  # seconds each
    "check_estimators_dtypes",
    "check_estimators_pickle",
    "check_regressor_data_not_an_array",
    "check_regressors_train",
    "check_transformer_general",
)
# These want answers alone and among others to agree to 1e-7 and 1e-9: a trunk computes in float32. Ours is below.
EXACT = ("check_methods_subset_invariance", "check_methods_sample_order_invariance")
WORDS = ["ice", "snow", "cold", "cool", "mild", "warm", "hot", "heat", "boiling", "fire"]
TEXTS, DEGREES = [f"the water is {word}" for word in WORDS], np.linspace(-20.0, 90.0, len(WORDS))


class TextsOfNumbers(TextRegressor):
    """Rows of numbers as a few words, so that scikit-learn's checks have something to give."""

    def fit(self, X: Any, y: Any) -> Any:  # noqa: N803
        super().fit(X, y)
        self.n_features_in_ = np.asarray(X).shape[1]  # of the numbers, not of the texts
        return self

    @contextmanager
    def _samples(self, X: Any) -> Iterator[Sequence[Sample]]:  # noqa: N803
        rows = validate_data(self, X, reset=not hasattr(self, "model_"))
        with super()._samples([" ".join(f"{number:.1f}" for number in row[:3]) for row in rows]) as samples:
            yield samples

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array, tags.input_tags.string, tags.no_validation = True, False, False
        tags.regressor_tags.poor_score = True  # nobody reads numbers well
        return tags


def own_checks() -> Iterator[Any]:
    """scikit-learn's checks of every regressor and transformer."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = estimator_checks.estimator_checks_generator(TextsOfNumbers(validation_share=0))
        for number, (one, check) in enumerate(found):
            name = getattr(check, "func", check).__name__
            if name not in EXACT:
                yield pytest.param(one, check, id=f"{name}-{number}", marks=[pytest.mark.slow] if name in SLOW else [])


@pytest.mark.parametrize(("estimator", "check"), own_checks())
def test_scikit_learns_own_checks(estimator: Any, check: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        check(estimator)


@pytest.fixture(scope="module")
def fitted() -> TextRegressor:
    return TextRegressor(validation_share=0).fit(TEXTS, DEGREES)


def pairs_of(shared: Path, split: str, count: int) -> tuple[pd.DataFrame, Any]:
    table = pd.read_csv(shared / "data" / "text" / "stsb" / f"{split}.csv").iloc[:count]
    return table[["text", "text_pair"]], table["label"]


def test_it_is_a_regressor_of_strings() -> None:
    assert is_regressor(TextRegressor())
    assert TextRegressor().__sklearn_tags__().input_tags.string


def test_what_is_not_fitted_says_so() -> None:
    for call in ("predict", "transform"):
        with pytest.raises(NotFittedError):
            getattr(TextRegressor(), call)(["x"])


def test_quantities_come_in_their_unit_alone_and_among_others(fitted: TextRegressor) -> None:
    found = fitted.predict(TEXTS)
    assert (found.shape, found.dtype) == ((len(TEXTS),), np.float64)
    assert np.corrcoef(found, DEGREES)[0, 1] > 0.8
    assert fitted.score(TEXTS, DEGREES) > 0.5
    np.testing.assert_allclose(fitted.predict(TEXTS[::-1])[::-1], found, atol=1e-3)
    np.testing.assert_allclose(fitted.predict(TEXTS[3:4])[0], found[3], atol=1e-3)


def test_parameters_stay_and_a_fitted_one_survives_pickling(fitted: TextRegressor) -> None:
    assert clone(fitted).get_params() == fitted.get_params()
    assert not hasattr(clone(fitted), "model_")
    again = pickle.loads(pickle.dumps(fitted))  # noqa: S301 - our own bytes
    np.testing.assert_array_equal(again.predict(TEXTS), fitted.predict(TEXTS))
    assert fitted.model_.kind == "text-regression"
    assert not hasattr(fitted, "classes_")


def test_the_same_seed_gives_the_same_model() -> None:
    first, second = (TextRegressor(head="linear", epochs=2, random_state=3).fit(TEXTS, DEGREES) for _ in range(2))
    np.testing.assert_array_equal(first.predict(TEXTS), second.predict(TEXTS))


def test_it_predicts_the_similarity_of_pairs_in_data_frames(shared: Path) -> None:
    model = TextRegressor().fit(*pairs_of(shared, "train", 150))
    inputs, targets = pairs_of(shared, "test", 100)
    assert np.corrcoef(model.predict(inputs), targets)[0, 1] > 0.65  # 0.80 measured
    assert model.score(inputs, targets) > 0.4  # 0.63 measured
    assert "validation" in model.model_.results
    features = model.transform(inputs)
    assert features.shape == (100, 3 * 384) == (100, len(model.get_feature_names_out()))
    swapped = model.transform(inputs.iloc[:, ::-1])  # its halves differ and agree the same
    np.testing.assert_allclose(features[:, 384:], swapped[:, 384:], atol=1e-4)
    with pytest.raises(ValueError, match="single texts, but this TextRegressor was fitted on pairs of texts"):
        model.predict(inputs["text"])


def test_pipelines_and_searches() -> None:
    inputs, targets = np.array(TEXTS * 2, dtype=object), np.tile(DEGREES, 2)
    lower = FunctionTransformer(lambda values: [value.lower() for value in values])
    search = GridSearchCV(make_pipeline(lower, TextRegressor()), {"textregressor__boundary": ["layer.2", "all"]}, cv=2)
    assert search.fit(inputs, targets).best_score_ > 0.5
    assert cross_val_score(TextRegressor(), inputs, targets, cv=2).mean() > 0.5
    by_hand = make_pipeline(TextRegressor(), StandardScaler(), Ridge())  # its features, and another's head
    assert by_hand.fit(inputs, targets).score(inputs, targets) > 0.9


def test_it_is_the_model_that_a_table_gives(tmp_path: Path) -> None:
    texts = [f"{text}, {place}" for text in TEXTS for place in ("here", "there", "outside")]
    targets = np.repeat(DEGREES, 3) + np.tile([0.0, 0.5, 1.0], len(TEXTS))
    pd.DataFrame({"text": texts, "label": [f"{one:.3f}" for one in targets]}).to_csv(tmp_path / "t.csv", index=False)
    model = TextRegressor(validation_share=0).fit(texts, targets)
    other = api.fit(api.open_task(tmp_path / "t.csv"), "feature-extraction")
    assert other.kind == model.model_.kind
    assert other.run.plan.phases == model.model_.run.plan.phases
    assert other.results.keys() >= {"test"}


@pytest.mark.parametrize(
    "targets",
    [
        list(range(10)),
        np.arange(10, dtype=np.int8),
        np.arange(10, dtype=np.float16),
        pd.Series(range(10), index=range(5, 15), dtype="Int64"),
        [Decimal(one) for one in range(10)],
        np.arange(10)[:, None],
        np.arange(10) * 1e30,
    ],
)
@pytest.mark.filterwarnings("ignore:A column-vector y")
def test_numbers_of_any_type_are_quantities(targets: Any) -> None:
    found = TextRegressor().fit(TEXTS, targets).predict(TEXTS)
    assert found.dtype == np.float64
    assert np.corrcoef(found, np.arange(10))[0, 1] > 0.5


@pytest.mark.parametrize(
    ("inputs", "targets", "named"),
    [
        (["a", "b"], [1.5, 1.5], "^y has one value, 1.5, in 2 samples; TextRegressor needs two or more$"),
        (["a"], [1.5], "^y has one value, 1.5, in 1 sample"),
        (["a", "b"], [1.5, np.nan], "^Input y contains NaN"),
        (["a", "b"], [1.5, None], "^Input y contains NaN"),
        (["a", "b"], [1.5, np.inf], "^Input y contains infinity"),
        (["a", "b"], ["x", "y"], r"^y\[0\] is 'x'; TextRegressor learns quantities: give numbers$"),
        (["a", "b"], np.array([1.5, "2.5"], dtype=object), r"^y\[1\] is '2.5'"),
        (["a", "b"], np.array([1 + 2j, 3], dtype=object), r"^y\[0\] is .*1\+2j"),
        (["a", "b"], np.array(["2020-01-01", "2021-01-01"], dtype="datetime64[ns]"), r"^y\[0\] is .*2020-01-01"),
        (["a", "b"], pd.Series([1, None], dtype="Int64"), r"^y\[1\] is <NA>|^Input y contains NaN"),
        (
            ["a", "b"],
            [1e300, 2e300],
            "^y has values that 32 bits do not tell apart; subtract their mean, or scale them$",
        ),
        (["a", "b"], [1.7e9, 1.7e9 + 1], "^y has values that 32 bits do not tell apart"),
        (["a", "b"], None, "requires y"),
        (["a", "b", "c"], [1.0, 2.0], "inconsistent numbers"),
        (["a", "b"], [[1.0, 2.0], [3.0, 4.0]], "1d array"),
        (None, [1.0, 2.0], "X is None; TextRegressor reads texts"),
        ([], [], "0 samples"),
        (["a", 3], [1.0, 2.0], "sample 1 is 3; TextRegressor reads texts"),
        ("a text", [1.0], "one string"),
    ],
)
def test_wrong_input_is_a_value_error(inputs: Any, targets: Any, named: str) -> None:
    with pytest.raises(ValueError, match=named) as error:
        TextRegressor().fit(inputs, targets)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("parameters", "named"),
    [
        (
            {"head": "logistic"},
            "^strategy feature-extraction: head logistic does not go with text-regression; use ridge",
        ),
        ({"label_smoothing": 0.1}, "^label_smoothing: TextRegressor has no classes to spread a target over"),
        ({"strategy": "lp-ft", "augment": True}, "^augment: TextRegressor reads texts"),
        ({"backbone": "bundled:resnet-small"}, "^backbone bundled:resnet-small reads pictures, the data are text$"),
    ],
)
def test_a_wrong_parameter_is_a_value_error_that_names_it(parameters: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError, match=named) as error:
        TextRegressor(**parameters).fit(TEXTS, DEGREES)
    assert "--" not in str(error.value)


def test_a_tuned_trunk_takes_quantities() -> None:
    model = TextRegressor(strategy="lora", epochs=1, rank=2, weight_decay=0.0, patience=0, penalty=None)
    assert model.fit(TEXTS, DEGREES).predict(TEXTS).shape == (len(TEXTS),)
