"""The settings of `regraft.fit` are parameters of the scikit-learn classes, and refusals name them."""

import inspect
import pickle
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from regraft.core import Penalty, Train
from regraft.sklearn import ImageClassifier, TextClassifier
from regraft.strategies import Settings

TEXTS, LABELS = ["good", "bad", "fine", "poor"], ["a", "b", "a", "b"]
PICTURES = np.random.default_rng(0).integers(0, 255, (4, 8, 8), dtype=np.uint8)
PICTURE_BACKBONE = "scratch:test_resnet"


def last_phase(estimator: Any) -> Train:
    phase = estimator.model_.run.plan.phases[-1]
    assert isinstance(phase, Train)
    return phase


def test_every_setting_is_a_parameter() -> None:
    assert {one.name for one in fields(Settings)} - {"seed"} <= set(TextClassifier().get_params())
    assert set(TextClassifier._parameter_constraints) == set(TextClassifier().get_params())
    assert all(
        one.default is not inspect.Parameter.empty for one in inspect.signature(TextClassifier).parameters.values()
    )


def test_settings_reach_the_plan() -> None:
    estimator = ImageClassifier(
        strategy="full-fine-tuning",
        backbone=PICTURE_BACKBONE,
        epochs=1,
        weight_decay=0.2,
        label_smoothing=0.3,
        layer_decay=1.0,
        patience=0,
        batch_norm="train",
        augment=False,
        cache=False,
        penalty="lwf",
        penalty_strength=0.5,
    )
    phase = last_phase(estimator.fit(PICTURES, LABELS))
    assert (phase.weight_decay, phase.label_smoothing, phase.patience) == (0.2, 0.3, 0)
    assert len(set(phase.rates)) == 1
    assert (phase.batch_norm, phase.augment, phase.cache) == ("train", False, False)
    assert phase.penalty == Penalty("lwf", 0.5)


def test_adapters_have_the_rank_and_numbers_of_a_search_are_taken() -> None:
    given = {"rank": np.int64(2), "weight_decay": np.float32(0.5), "patience": np.int32(1), "cache": np.bool_(False)}
    model = TextClassifier(strategy="lora", epochs=1, **given).fit(TEXTS, LABELS)
    phase = last_phase(model)
    assert phase.adapter is not None
    assert (phase.adapter.rank, phase.weight_decay, phase.patience, phase.cache) == (2, 0.5, 1, False)
    again = pickle.loads(pickle.dumps(model))  # noqa: S301 - our own bytes
    np.testing.assert_array_equal(again.predict_proba(TEXTS), model.predict_proba(TEXTS))


@pytest.mark.parametrize("cache", [None, False])
@pytest.mark.parametrize("given", [{}, {"strategy": "full-fine-tuning", "epochs": 1, "penalty": "lwf"}])
def test_without_a_cache_nothing_is_kept_on_disk(given: dict[str, Any], cache: bool | None, tmp_path: Path) -> None:
    model = ImageClassifier(backbone=PICTURE_BACKBONE, cache=cache, cache_dir=tmp_path, **given).fit(PICTURES, LABELS)
    model.predict(PICTURES)
    model.transform(PICTURES)
    assert bool(list(tmp_path.rglob("*.safetensors"))) == (cache is None)


@pytest.mark.parametrize(
    ("parameters", "named"),
    [
        ({"weight_decay": -1}, "'weight_decay' parameter"),
        ({"weight_decay": float("nan")}, "'weight_decay' parameter"),
        ({"label_smoothing": 1}, "'label_smoothing' parameter"),
        ({"patience": -1}, "'patience' parameter"),
        ({"rank": 0}, "'rank' parameter"),
        ({"batch_norm": "thawed"}, "'batch_norm' parameter"),
        ({"augment": "yes"}, "'augment' parameter"),
        ({"cache": "yes"}, "'cache' parameter"),
        ({"penalty": "replay"}, "'penalty' parameter"),  # there is no source data to replay
        ({"penalty_strength": -0.1}, "'penalty_strength' parameter"),
        ({"weight_decay": 0.1}, "feature-extraction: weight_decay: a logistic head is solved; use head linear or mlp$"),
        ({"rank": 4}, "feature-extraction: rank: no stage trains; use strategy lora"),
        ({"penalty": "lwf"}, "feature-extraction: penalty: the trunk does not move"),
        ({"penalty": "lwf", "penalty_strength": 1}, "penalty: .*; penalty_strength: the trunk does not move"),
        (
            {"strategy": "lp-ft", "penalty_strength": 1},
            "^penalty_strength: there is no penalty; name one with penalty$",
        ),
        ({"strategy": "lp-ft", "augment": True}, "^augment: TextClassifier reads texts, which have no random views"),
        (
            {"strategy": "lp-ft", "batch_norm": "train"},
            "^batch_norm: TextClassifier reads texts, whose networks have no",
        ),
    ],
)
def test_a_refused_setting_is_named_as_a_parameter(parameters: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError, match=named) as error:
        TextClassifier(**parameters).fit(TEXTS, LABELS)
    assert "--" not in str(error.value)
    assert "\n" not in str(error.value)
