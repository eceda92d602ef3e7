"""Heads that read an earlier stage, or all of them."""

from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import check_grad
from scipy.special import softmax
from sklearn.linear_model import LogisticRegression

from regraft import api
from regraft.activations.extract import pooled_features
from regraft.core import OptionError, Solve, Task
from regraft.running.pool import _loss
from regraft.running.probe import solve_logistic
from regraft.strategies import Settings

from .conftest import small_vision


@pytest.mark.parametrize(("boundary", "taps"), [("1", (0,)), ("60%", (2,)), ("all", (0, 1, 2, 3, 4))])
def test_a_head_on_other_stages_is_saved_and_loaded(
    boundary: str, taps: tuple[int, ...], pictures: Task, tmp_path: Path
) -> None:
    backbone = small_vision()
    model = api.fit(
        pictures, "feature-extraction", backbone=backbone, settings=Settings(boundary=boundary), out=tmp_path / "m"
    )
    assert model.head.taps == taps
    samples = pictures.train.samples[:4]
    assert api.load(tmp_path / "m").predict(samples) == model.predict(samples)


def test_all_stages_are_a_pool_of_one_regression_each(pictures: Task) -> None:
    parts, _ = pooled_features(small_vision(), pictures.train.samples, None, precision="fp32")
    features, targets = np.concatenate(parts, axis=1), np.asarray(pictures.train.targets)
    ours = solve_logistic(features, targets, 3, Solve(), 0, [part.shape[1] for part in parts])
    summed = np.zeros((len(targets), 3))
    for part, strength, weight in zip(parts, ours.chosen.strengths, ours.chosen.weights, strict=True):
        inputs = (part - part.mean(axis=0)) / np.where(part.std(axis=0) > 1e-9, part.std(axis=0), 1)
        alone = LogisticRegression(C=strength, tol=1e-6, max_iter=2000).fit(inputs, targets)
        summed += weight * alone.predict_log_proba(inputs)
    np.testing.assert_allclose(ours.probabilities(features), softmax(summed, axis=1), atol=5e-3)


def test_a_stage_that_says_nothing_counts_little() -> None:
    rng = np.random.default_rng(0)
    targets = np.arange(90) % 3
    telling = np.eye(3)[targets] + rng.normal(scale=0.4, size=(90, 3))
    features = np.concatenate([telling, rng.normal(size=(90, 40))], axis=1).astype(np.float32)
    for strengths in ((1.0,), Solve().strengths):  # the head of noise may be wrong, or say little by itself
        early, late = solve_logistic(features, targets, 3, Solve(strengths), 0, [3, 40]).shares
        assert early > 4 * late  # although the later one is trusted more beforehand
        assert early + late == pytest.approx(1)


def test_the_pools_slope_is_that_of_its_loss() -> None:
    rng = np.random.default_rng(0)
    logs, labels = np.log(rng.dirichlet(np.ones(4), size=(3, 20))), rng.integers(0, 4, 20)
    assert check_grad(lambda w: _loss(w, logs, labels)[0], lambda w: _loss(w, logs, labels)[1], rng.random(3)) < 1e-6


def test_with_nothing_to_hold_out_later_stages_count_more() -> None:
    features = np.random.default_rng(0).normal(size=(3, 6)).astype(np.float32)
    chosen = solve_logistic(features, np.arange(3), 3, Solve(), 0, [2, 2, 2]).chosen
    assert chosen.weights == pytest.approx((1 / 6, 2 / 6, 3 / 6))


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"boundary": "none"}, "some stage"),
        ({"boundary": "layr"}, "no such stage"),
        ({"boundary": "1", "head": "mlp"}, "reads the last stage"),
    ],
)
def test_what_cannot_be_tapped_is_refused(options: dict[str, str], named: str, pictures: Task) -> None:
    with pytest.raises(OptionError, match=named):
        api.prepare(pictures, "feature-extraction", small_vision(), Settings(**options))  # type: ignore[arg-type]


def test_random_views_are_no_use_to_a_solved_head(pictures: Task) -> None:
    with pytest.raises(OptionError, match="augment"):
        api.prepare(pictures, "feature-extraction", small_vision(), Settings(augment=True))
    plan = api.prepare(pictures, "feature-extraction", small_vision(), Settings(augment=True, head="mlp")).plan
    assert plan.head == "mlp"
