"""Each score against an independent computation: the definition written out, or another library's."""

import numpy as np
import pytest
from scipy.optimize import minimize
from sklearn.covariance import LedoitWolf
from sklearn.decomposition import PCA
from sklearn.linear_model import Ridge
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import LeaveOneGroupOut, LeaveOneOut, cross_val_predict
from sklearn.neighbors import KNeighborsClassifier

from regraft.scores import SCORES, ScoreInputs
from regraft.scores.gbc import gbc
from regraft.scores.h_score import h_score, ledoit_wolf
from regraft.scores.knn import knn
from regraft.scores.leep import leep
from regraft.scores.logme import logme
from regraft.scores.n_leep import n_leep
from regraft.scores.nce import nce
from regraft.scores.ridge import PENALTIES, leave_one_out, ridge, undecided_alike
from regraft.scores.spectrum import Spectrum
from regraft.scores.transrate import transrate

CLASSES = 4


def made(samples: int = 90, width: int = 12, spread: float = 1.5, seed: int = 0) -> ScoreInputs:
    """Gaussian classes with a mean that is not 0, and a source head's probabilities."""
    rng = np.random.default_rng(seed)
    targets = np.arange(samples) % CLASSES
    centres = spread * rng.normal(size=(CLASSES, width))
    features = (centres[targets] + rng.normal(size=(samples, width)) * rng.uniform(0.3, 2, width) + 2).astype(
        np.float32
    )
    logits = rng.normal(size=(samples, 7)) + 2 * np.eye(7)[targets]
    source = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return ScoreInputs(features, targets, CLASSES, source)


@pytest.fixture(params=[(90, 12), (40, 60)], ids=["more samples", "more features"])
def inputs(request: pytest.FixtureRequest) -> ScoreInputs:
    return made(*request.param)


def test_logme_is_the_largest_evidence_over_both_precisions(inputs: ScoreInputs) -> None:
    x = inputs.features.astype(float)
    count = len(x)

    def loss(logs: np.ndarray, y: np.ndarray) -> float:
        alpha, beta = np.exp(logs)
        covariance = x @ x.T / alpha + np.eye(count) / beta  # of the targets, weights integrated out
        return 0.5 * (np.linalg.slogdet(2 * np.pi * covariance)[1] + y @ np.linalg.solve(covariance, y))

    best = [
        min(minimize(loss, start, (inputs.one_hot[:, one],), "Nelder-Mead", options={"fatol": 1e-9}).fun for start in ((0, 0), (3, 1)))
        for one in range(CLASSES)
    ]  # fmt: skip
    assert logme(inputs) == pytest.approx(-np.mean(best) / count, abs=2e-4)


def test_h_score_is_the_trace_with_scikit_learns_shrunk_covariance(inputs: ScoreInputs) -> None:
    x = inputs.features - inputs.features.mean(axis=0, dtype=np.float64)
    found = LedoitWolf(assume_centered=True).fit(x)
    means = np.stack([x[inputs.targets == label].mean(axis=0) for label in range(CLASSES)])[inputs.targets]
    between = means.T @ means / len(x)
    expected = np.trace(np.linalg.inv(found.covariance_) @ between) * (1 - found.shrinkage_)
    assert ledoit_wolf(inputs.centred) == pytest.approx(found.shrinkage_, rel=1e-5)
    assert h_score(inputs) == pytest.approx(expected, rel=1e-4)


def test_leep_and_nce_are_their_definitions() -> None:
    inputs = made()
    theta, y = inputs.source, inputs.targets
    assert theta is not None
    terms = []
    for i in range(len(y)):
        likelihood = 0.0
        for z in range(7):
            weights = theta[:, z]
            likelihood += theta[i, z] * weights[y == y[i]].sum() / weights.sum()
        terms.append(np.log(likelihood))
    assert leep(inputs) == pytest.approx(np.mean(terms))
    z = theta.argmax(axis=1)
    conditional = [np.log(np.mean(y[z == z[i]] == y[i])) for i in range(len(y))]
    assert nce(inputs) == pytest.approx(np.mean(conditional))


def test_n_leep_is_leep_of_scikit_learns_mixture_on_scikit_learns_axes() -> None:
    inputs = made(200)
    reduced = PCA(0.8, svd_solver="full").fit_transform(inputs.features.astype(float))
    mixture = GaussianMixture(20, covariance_type="diag", reg_covar=1e-3 * reduced.var(axis=0).mean(), max_iter=30, random_state=0)  # fmt: skip
    posterior = mixture.fit(reduced).predict_proba(reduced)
    expected = leep(ScoreInputs(inputs.features, inputs.targets, CLASSES, posterior))
    assert n_leep(inputs) == pytest.approx(expected, abs=0.05)  # the sign of an axis moves the mixture's start


def test_transrate_is_the_papers_listing_on_even_classes(inputs: ScoreInputs) -> None:
    def rate(z: np.ndarray) -> float:
        return 0.5 * np.linalg.slogdet(np.eye(z.shape[1]) + z.T @ z / (len(z) * 1e-4))[1]

    even = len(inputs.targets) // CLASSES * CLASSES
    inputs = ScoreInputs(inputs.features[:even], inputs.targets[:even], CLASSES)
    z = inputs.features - inputs.features.mean(axis=0, dtype=np.float64)
    expected = rate(z) - np.mean([rate(z[inputs.targets == label]) for label in range(CLASSES)])
    assert transrate(inputs) == pytest.approx(expected, rel=1e-5)


def test_gbc_is_the_overlap_of_diagonal_gaussians_on_the_principal_axes() -> None:
    inputs = made()
    z = PCA(svd_solver="full").fit_transform(inputs.features.astype(float))
    total = 0.0
    for one in range(CLASSES):
        for other in range(CLASSES):
            a, b = z[inputs.targets == one], z[inputs.targets == other]
            shared = (a.var(axis=0) + b.var(axis=0)) / 2
            distance = np.sum((a.mean(axis=0) - b.mean(axis=0)) ** 2 / shared) / 8
            distance += 0.5 * np.log(np.prod(shared) / np.sqrt(np.prod(a.var(axis=0)) * np.prod(b.var(axis=0))))
            total -= np.exp(-distance) if one != other else 0.0
    assert gbc(inputs) == pytest.approx(total, rel=1e-6)


def test_knn_is_scikit_learns_leave_one_out() -> None:
    inputs = made(120, spread=0.5)
    unit = inputs.features / np.linalg.norm(inputs.features, axis=1, keepdims=True)

    def nearer_first(distances: np.ndarray) -> np.ndarray:
        return 1 - 1e-3 * distances.argsort(axis=1).argsort(axis=1)

    model = KNeighborsClassifier(5, metric="cosine", weights=nearer_first)
    held = cross_val_predict(model, unit, inputs.targets, cv=LeaveOneOut())
    assert knn(inputs) == pytest.approx((held == inputs.targets).mean())


@pytest.mark.parametrize("shape", [(30, 6), (16, 24)])
def test_leaving_one_out_of_ridge_is_what_fitting_without_it_gives(shape: tuple[int, int]) -> None:
    inputs = made(*shape)
    spectrum = Spectrum.of(inputs.features, centre=True)
    held = leave_one_out(spectrum, inputs.one_hot)
    candidates = []
    x = inputs.features.astype(float)
    for penalty in PENALTIES:
        model = Ridge(penalty * spectrum.values.mean())
        candidates.append(cross_val_predict(model, x, inputs.one_hot, cv=LeaveOneOut()))
    errors = [np.square(one - inputs.one_hot).mean() for one in candidates]
    np.testing.assert_allclose(held, candidates[int(np.argmin(errors))], atol=0.02)
    assert ridge(inputs) == pytest.approx((held.argmax(axis=1) == inputs.targets).mean(), abs=0.1)


@pytest.mark.parametrize(
    ("shape", "each"), [((30, 6), 2), ((16, 24), 3), ((40, 6), 10)], ids=["pairs", "wide", "groups larger than D"]
)
def test_leaving_one_group_out_of_ridge_is_what_fitting_without_it_gives(shape: tuple[int, int], each: int) -> None:
    inputs = made(*shape)
    groups = np.maximum(np.arange(shape[0]) // each, 1)  # the first two are one, of another size than the rest
    spectrum = Spectrum.of(inputs.features, centre=True)
    candidates = []
    for penalty in PENALTIES:
        model = Ridge(penalty * spectrum.values.mean())
        x = inputs.features.astype(float)
        candidates.append(cross_val_predict(model, x, inputs.one_hot, cv=LeaveOneGroupOut(), groups=groups))
    errors = [np.square(one - inputs.one_hot).mean() for one in candidates]
    held = leave_one_out(spectrum, inputs.one_hot, groups)
    np.testing.assert_allclose(held, candidates[int(np.argmin(errors))], atol=1e-3)
    others = np.stack([inputs.one_hot[groups != group].mean(axis=0) for group in groups])
    shifted = held - others + inputs.one_hot.mean(axis=0)
    np.testing.assert_allclose(undecided_alike(spectrum, inputs.one_hot, groups), shifted, atol=1e-9)


def test_twins_do_not_foretell_each_other() -> None:
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(40), 5)
    features = (rng.normal(size=(40, 300))[groups] + 0.01 * rng.normal(size=(200, 300))).astype(np.float32)
    targets = rng.integers(0, 2, 40)[groups]
    for score in (knn, ridge):
        assert score(ScoreInputs(features, targets, 2)) == 1.0
        assert 0.2 < score(ScoreInputs(features, targets, 2, groups=groups)) < 0.8
        assert np.isnan(score(ScoreInputs(features, targets, 2, groups=np.zeros(200, dtype=int))))


def test_ridge_is_at_chance_where_features_say_nothing() -> None:
    noise = np.random.default_rng(0).normal(size=(40, 20)).astype(np.float32)
    assert 0.25 < ridge(ScoreInputs(noise, np.arange(40) % 2, 2)) < 0.75
    quantities = np.random.default_rng(1).normal(size=(20, 40))
    assert abs(np.mean([ridge(ScoreInputs(noise, some, 0)) for some in quantities])) < 0.15


def test_features_that_tell_classes_apart_score_higher() -> None:
    vague, clear = made(200, spread=0.3), made(200, spread=2.0)
    for score in SCORES:
        if "source-head" not in score.needs:
            assert (score.compute(clear) > score.compute(vague)) == score.higher_is_better, score.name


def test_a_score_is_left_out_where_its_input_is_missing() -> None:
    inputs = made()
    without = ScoreInputs(inputs.features, inputs.targets, CLASSES)
    quantities = ScoreInputs(inputs.features, inputs.targets.astype(float), 0)
    assert {one.name for one in SCORES} - {one.name for one in SCORES if one.fits(without)} == {"leep", "nce"}
    assert [one.name for one in SCORES if one.fits(quantities)] == ["ridge", "logme"]


def test_scores_survive_two_samples_of_a_class_and_a_constant_feature() -> None:
    rng = np.random.default_rng(0)
    features = rng.normal(size=(6, 30)).astype(np.float32)
    features[:, 3] = 1.0
    inputs = ScoreInputs(features, np.array([0, 0, 1, 1, 2, 2]), 3, np.full((6, 5), 0.2))
    assert all(np.isfinite(score.compute(inputs)) for score in SCORES)


def test_a_class_without_a_sample_does_not_change_a_score() -> None:
    inputs = made()
    more = ScoreInputs(inputs.features, inputs.targets, CLASSES + 2, inputs.source)
    for score in SCORES:
        assert score.compute(more) == pytest.approx(score.compute(inputs), rel=1e-3), score.name


@pytest.mark.parametrize("width", [8, 80])
def test_features_that_never_change_end_no_score(width: int) -> None:
    features = np.full((24, width), 1.1, dtype=np.float32)
    rng = np.random.default_rng(0)
    inputs = ScoreInputs(features, np.arange(24) % 3, 3, rng.dirichlet(np.ones(5), 24))
    assert {score.name for score in SCORES if np.isnan(score.compute(inputs))} == {"n-leep"}
    assert ridge(ScoreInputs(features, rng.normal(size=24), 0)) == 0
