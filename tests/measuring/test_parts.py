"""Probes, CKA, label noise, twins and distances against independent computations."""

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.linalg import sqrtm
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict
from sklearn.preprocessing import StandardScaler

from regraft.backbones import load_backbone
from regraft.measuring import measure
from regraft.measuring.cka import cka_matrix
from regraft.measuring.distances import DIRECTIONS, Aligned, aligned, class_distance, frechet, mmd, proxy_a
from regraft.measuring.jackknife import Jackknife, with_interval
from regraft.measuring.probes import Probed, folds_of, probe, share_interval, standardised
from regraft.measuring.profile import label_noise
from regraft.measuring.source_statistics import SourceStatistics
from regraft.measuring.stages import all_stages, headroom
from regraft.measuring.subject import Subject, drawn_rows, twin_groups
from regraft.running.resources import Resources
from regraft.scores import Score, ScoreInputs
from regraft.scores.gbc import GBC
from regraft.scores.h_score import H_SCORE
from regraft.scores.logme import LOGME
from regraft.scores.nce import NCE
from regraft.scores.transrate import TRANSRATE
from regraft.tasks import open_task

RNG = np.random.default_rng(0)


def made(samples: int, width: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    targets = np.arange(samples) % 3
    features = rng.normal(size=(3, width))[targets] + rng.normal(size=(samples, width))
    return features.astype(np.float32), targets


@pytest.mark.parametrize("width", [10, 400], ids=["narrow", "wider than samples, so rotated"])
def test_the_probe_is_scikit_learns_cross_validation(width: int) -> None:
    features, targets = made(90, width)
    folds = folds_of(targets, np.arange(90), seed=0)
    found = probe(standardised(features), targets, 3, folds)
    model = LogisticRegression(C=found.strength, max_iter=1000)
    held = cross_val_predict(model, StandardScaler().fit_transform(features), targets, cv=folds)
    assert found.value == pytest.approx((held == targets).mean(), abs=0.03)
    assert found.low < found.value <= found.high


def test_twins_stay_in_one_fold(tmp_path: Path) -> None:
    for number in range(24):
        place = tmp_path / "data" / "ab"[number % 2]
        place.mkdir(parents=True, exist_ok=True)
        noise = np.random.default_rng(number % 12).integers(0, 255, (32, 32, 3), dtype=np.uint8)
        Image.fromarray(noise).save(place / f"{number}.png")
    task = open_task(tmp_path / "data")
    groups = np.array(twin_groups(task))
    assert len(set(groups.tolist())) == len(groups) / 2
    for learnt, held in folds_of(np.array(task.train.targets), groups, seed=0):
        assert not set(groups[learnt]) & set(groups[held])


def test_questions_without_names_may_repeat(tmp_path: Path) -> None:
    questions = [
        {"question": f"what is {number % 30}?", "answers": [{"text": "it", "answer_start": 0}]} for number in range(40)
    ]
    paragraphs = [{"context": "it is a number", "qas": questions}]
    (tmp_path / "train.json").write_text(json.dumps({"data": [{"title": "numbers", "paragraphs": paragraphs}]}))
    task = open_task(tmp_path / "train.json")
    groups = twin_groups(task)
    digests = [one.digest for one in task.train.samples]
    assert len(groups) == len(task.train)
    assert len(set(groups)) == len(set(digests))


@pytest.mark.parametrize(
    "texts",
    [["A C G T", "T G C A", "A A G", "C C T"], ["5 + 3", "1 - 2", "7 + 7", "9 - 1"], ["x", "y", "x x", "y y"]],
    ids=["bases", "sums", "letters"],
)
@pytest.mark.parametrize("paired", [False, True])
def test_texts_without_words_are_counted_by_characters(
    texts: list[str], paired: bool, resources: Resources, tmp_path: Path
) -> None:
    rows = [f"{text * (1 + number // 4)},{'ab'[number % 2]},{text}" for number, text in enumerate(texts * 6)]
    file = tmp_path / "letters.csv"
    file.write_text("\n".join(["text,label,other", *rows]))
    task = open_task(file, pair_column="other") if paired else open_task(file)
    found = measure(task, load_backbone("bundled:minilm"), resources=resources)
    assert found.get("probe/raw") is not None


@pytest.mark.parametrize("counts", [(500, 500, 2), (40, 40, 1), (500, 2), (6, 1)])
def test_a_rare_class_costs_the_others_no_fold(counts: tuple[int, ...]) -> None:
    targets = np.repeat(np.arange(len(counts)), counts)
    folds = folds_of(targets, np.arange(len(targets)), seed=0)
    learnt = [len(learnt) / len(targets) for learnt, _ in folds]
    assert learnt == pytest.approx([0.8] * len(folds), abs=0.1)
    common = set(np.flatnonzero(targets == 0))
    assert len(folds) == 5 or counts[1] == 1 == len(counts) - 1  # a fold without the other class teaches nothing
    assert len(common & {int(row) for _, held in folds for row in held}) >= 0.8 * len(common)
    assert all(np.isin(targets[held], targets[learnt]).all() for learnt, held in folds)


@pytest.mark.parametrize("each", [2, 3, 5, 9])
def test_even_classes_have_as_many_folds_as_samples_of_each_up_to_five(each: int) -> None:
    targets = np.tile(np.arange(4), each)
    folds = folds_of(targets, np.arange(len(targets)), seed=0)
    assert len(folds) == min(each, 5)
    assert sorted(int(row) for _, held in folds for row in held) == list(range(len(targets)))


def test_where_no_class_has_two_groups_nothing_is_held_out() -> None:
    assert folds_of(np.arange(8), np.arange(8), seed=0) == []
    assert folds_of(np.repeat(np.arange(3), 4), np.repeat(np.arange(3), 4), seed=0) == []


def test_a_probe_of_rare_classes_is_judged_on_what_could_be_learnt() -> None:
    features, targets = made(92, 10)
    targets[90:] = 3, 4
    found = probe(standardised(features), targets, 5, folds_of(targets, np.arange(92), seed=0))
    assert len(found.hits) == 90
    assert found.value == pytest.approx(found.hits.mean())


def test_quantities_of_twins_are_not_foretold_by_each_other() -> None:
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(30), 10)
    features = (rng.normal(size=(30, 50))[groups] + 0.01 * rng.normal(size=(300, 50))).astype(np.float32)
    targets = rng.normal(size=30)[groups]
    alone = probe(standardised(features), targets, 0, [])
    together = probe(standardised(features), targets, 0, [], groups=groups)
    assert alone.value > 0.95
    assert together.low < 0 < together.high
    assert len(together.hits) == 30
    assert together.hits.mean() == pytest.approx(together.value)


def test_contributions_to_a_correlation_tell_how_sure_it_is() -> None:
    rng = np.random.default_rng(0)
    found = []
    for _ in range(200):
        features = rng.normal(size=(150, 3)).astype(np.float32)
        targets = features[:, 0] + rng.normal(size=150)
        found.append(probe(standardised(features), targets, 0, []))
    halves = [one.hits.std() / np.sqrt(150) for one in found]
    assert np.mean(halves) == pytest.approx(np.std([one.value for one in found]), rel=0.25)


@pytest.mark.parametrize("earlier", [1, 6, 11])
def test_the_best_of_many_stages_is_seldom_surely_ahead_by_chance(earlier: int) -> None:
    rng, ahead = np.random.default_rng(0), 0
    for _ in range(400):
        hits = (rng.random((earlier + 1, 200)) < 0.8).astype(float)
        probes = [Probed(one.mean(), 0, 1, 1, one, hits, 1) for one in hits]
        found = headroom([str(number) for number in range(earlier + 1)], probes)
        ahead += found.low > 0
        assert found.low <= found.value <= found.high
    assert 0.05 < ahead / 400 < 0.13


def test_where_the_last_stage_is_the_best_it_is_told_how_far_another_could_be_ahead() -> None:
    hits = np.random.default_rng(0).random((3, 100)) < np.array([[0.7], [0.84], [0.85]])
    probes = [Probed(one.mean(), 0, 1, 1, one.astype(float), hits, 1) for one in hits]
    found = headroom(["a", "b", "c"], probes)
    assert (found.value, found.low) == (0.0, 0.0)
    assert 0 < found.high < 0.2
    assert "the best stage, c," in found.source


def test_label_noise_is_found_where_labels_were_changed() -> None:
    features, targets = made(300, 30)
    changed = targets.copy()
    changed[:45] = (changed[:45] + 1) % 3
    folds = folds_of(changed, np.arange(300), seed=0)
    clean = label_noise(probe(standardised(features), targets, 3, folds).held, targets).value
    noisy = label_noise(probe(standardised(features), changed, 3, folds).held, changed).value
    assert clean < 0.03
    assert noisy == pytest.approx(0.15, abs=0.05)


def test_cka_is_one_for_a_rotation_and_near_zero_for_noise_wider_than_samples() -> None:
    features = RNG.normal(size=(60, 8)).astype(np.float32)
    turned = 3 * features @ np.linalg.qr(RNG.normal(size=(8, 8)))[0].astype(np.float32) + 5
    noise = RNG.normal(size=(60, 500)).astype(np.float32)
    found = cka_matrix([features, turned, noise])
    assert found[0, 1] == pytest.approx(1, abs=1e-5)
    assert abs(found[0, 2]) < 0.12


def test_cka_is_the_unbiased_estimate_written_out() -> None:
    first, second = RNG.normal(size=(20, 5)), RNG.normal(size=(20, 7))
    second[:, :5] += first

    def hsic(k: np.ndarray, m: np.ndarray) -> float:  # Song 2012, equation 5
        k, m, n = k - np.diag(np.diag(k)), m - np.diag(np.diag(m)), len(k)
        ones = k.sum() * m.sum() / ((n - 1) * (n - 2)) - 2 / (n - 2) * k.sum(axis=0) @ m.sum(axis=1)
        return (np.trace(k @ m) + ones) / (n * (n - 3))

    k, m = first @ first.T, second @ second.T
    expected = hsic(k, m) / np.sqrt(hsic(k, k) * hsic(m, m))
    assert cka_matrix([first, second])[0, 1] == pytest.approx(expected, rel=1e-6)


def gaussian_source(rows: np.ndarray) -> SourceStatistics:
    return SourceStatistics("noise", len(rows), rows.mean(axis=0), np.cov(rows, rowvar=False), rows[:4], rows)


def test_frechet_is_the_formula_less_what_chance_shows() -> None:
    rng = np.random.default_rng(0)
    rows, target = rng.normal(size=(4000, 6)), 2 * rng.normal(size=(4000, 6)) + 1
    pair = aligned(gaussian_source(rows), target.astype(np.float32))
    ours, theirs = np.cov(rows, rowvar=False), np.cov(target, rowvar=False)
    shift = np.square(rows.mean(axis=0) - target.mean(axis=0)).sum()
    expected = shift + np.trace(ours + theirs - 2 * sqrtm(ours @ theirs).real)
    value, low, high = frechet(pair, rng)
    assert value == pytest.approx(expected / np.trace(ours), rel=0.02)
    assert low < value < high


def test_distances_are_near_nothing_between_halves_and_large_between_strangers() -> None:
    rng = np.random.default_rng(1)
    scales = np.linspace(0.5, 3, 100)
    source = gaussian_source(rng.normal(size=(600, 100)) * scales)
    same = aligned(source, (rng.normal(size=(300, 100)) * scales).astype(np.float32))
    other = aligned(source, (rng.normal(size=(300, 100)) * scales[::-1] + 1).astype(np.float32))
    for distance, least in ((frechet, 0.5), (mmd, 0.05), (proxy_a, 1.5)):
        assert abs(distance(same, rng)[0]) < 0.35 * least
        assert distance(other, rng)[0] > least
    assert same.target.shape[1] == DIRECTIONS


def test_class_distance_is_one_between_classes_like_the_sources_own() -> None:
    corners = np.eye(4) * 5
    pair = Aligned(np.zeros(4), np.eye(4), corners, np.array([[5.0, 5, 0, 0], [0, 0, 5, 5]]), corners)
    assert class_distance(pair, np.array([0, 1])) == pytest.approx(1 / np.sqrt(2))


def test_a_draw_keeps_the_shares_of_classes(subject: Subject) -> None:
    task = subject.task
    rows = drawn_rows(task, len(task.train) // 2, seed=0)
    kept = np.bincount(np.array(task.train.targets)[rows])
    assert np.abs(kept - np.bincount(task.train.targets) / 2).max() <= 1
    assert drawn_rows(task, 1000, seed=0) == list(range(len(task.train)))


def test_the_interval_of_a_share_covers_it_eight_times_of_ten() -> None:
    rng = np.random.default_rng(0)
    draws = rng.binomial(50, 0.85, size=2000) / 50
    covered = np.mean([low <= 0.85 <= high for low, high in (share_interval(one, 50) for one in draws)])
    assert 0.75 < covered < 0.87


def test_a_subject_is_what_the_trunk_makes_of_the_training_samples(subject: Subject) -> None:
    backbone = subject.backbone
    with torch.inference_mode():
        inputs = [backbone.preprocess(sample) for sample in subject.samples[:3]]
        state = backbone.run(backbone.collate(inputs), 0, len(backbone.outline))
        expected = backbone.pool(state, len(backbone.outline) - 1).numpy()
    np.testing.assert_allclose(subject.stages[-1][:3], expected, rtol=1e-3, atol=1e-4)
    assert replace(subject, seed=1).last_probe.value == pytest.approx(subject.last_probe.value, abs=0.2)


def subject_like(features: np.ndarray, targets: np.ndarray, groups: np.ndarray | None = None) -> SimpleNamespace:
    groups = np.arange(len(targets)) if groups is None else groups
    return SimpleNamespace(groups=groups, targets=targets, seed=0)


def half_width(score: Score, inputs: ScoreInputs, targets: np.ndarray) -> tuple[float, str]:
    """Half of a score's interval, and what is said of it."""
    jackknife = Jackknife.of(subject_like(inputs.features, targets), inputs)  # type: ignore[arg-type]
    low, high, said = with_interval(jackknife, score, score.compute(inputs))
    return (high - low) / 2, said


def test_the_interval_of_a_score_is_as_wide_as_scores_of_new_samples_differ() -> None:
    drawn = [made(120, 8, seed)[0] for seed in range(40)]
    targets = np.arange(120) % 3
    # One population: class means of the first draw, noise of each.
    centre = np.stack([drawn[0][targets == one].mean(axis=0) for one in range(3)])
    rng = np.random.default_rng(1)
    features = [(centre[targets] + rng.normal(size=(120, 8))).astype(np.float32) for _ in range(40)]
    inputs = [ScoreInputs(one, targets, 3) for one in features]
    spread = 1.28 * np.std([LOGME.compute(one) for one in inputs])
    halves = [half_width(LOGME, one, targets)[0] for one in inputs[:10]]
    assert 0.6 * spread < np.mean(halves) < 1.8 * spread


def test_twins_leave_a_jackknife_together() -> None:
    features, targets = made(60, 8)
    groups = np.repeat(np.arange(30), 2)
    jackknife = Jackknife.of(subject_like(features, targets, groups), ScoreInputs(features, targets, 3))  # type: ignore[arg-type]
    assert all(np.bincount(groups[rows], minlength=30).tolist().count(1) == 0 for rows in jackknife.kept)


@pytest.mark.parametrize("score", [LOGME, H_SCORE, GBC, TRANSRATE], ids=lambda one: one.name)
@pytest.mark.parametrize(("samples", "width", "numbers"), [(150, 200, 30_000), (600, 160, 30_000)])
def test_intervals_of_wide_features_are_as_wide_as_scores_of_new_samples_differ(
    score: Score, samples: int, width: int, numbers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("regraft.measuring.jackknife.MOST_NUMBERS", numbers)
    rng, targets = np.random.default_rng(0), np.arange(samples) % 5
    scale = np.arange(1, width + 1) ** -0.6
    centre = rng.normal(size=(5, width)) * scale / 2
    drawn = [(centre[targets] + rng.normal(size=(samples, width)) * scale).astype(np.float32) for _ in range(30)]
    inputs = [ScoreInputs(one, targets, 5) for one in drawn]
    spread = 1.28 * np.std([score.compute(one) for one in inputs])
    found = [half_width(score, one, targets) for one in inputs[:8]]
    halves, said = [half for half, _ in found], found[-1][1]
    assert 0.5 * spread < np.mean(halves) < 3.5 * spread
    assert ("of the 600 samples" in said) == (samples == 600 and score is not GBC)


def test_scores_of_the_original_head_have_intervals_however_wide_the_features() -> None:
    rng, targets = np.random.default_rng(0), np.arange(1000) % 100
    wide = ScoreInputs(np.zeros((1000, 10_000), np.float32), targets, 100, rng.dirichlet(np.ones(7), 1000))
    jackknife = Jackknife.of(subject_like(wide.features, targets), wide)  # type: ignore[arg-type]
    low, high, _ = with_interval(jackknife, NCE, NCE.compute(wide))
    assert low < high
    low, _, said = with_interval(jackknife, LOGME, 0.0)  # a draw of 40 samples says nothing of 100 classes
    assert np.isnan(low)
    assert said.startswith("no interval: of 10000 features only 40 samples")


def test_the_pool_of_all_stages_is_judged_on_samples_that_its_weights_have_not_seen(subject: Subject) -> None:
    shape, rng = (len(subject.samples), 12), np.random.default_rng(0)
    found = []
    for _ in range(20):
        noise = [rng.normal(size=shape).astype(np.float32) for _ in range(8)]
        found += [one.value for one in all_stages(replace(subject, stages=noise))]
    chance = np.bincount(subject.labels).max() / len(subject.labels)
    assert np.mean(found) == pytest.approx(chance, abs=0.06)


def test_the_pool_of_all_stages_knows_what_any_stage_knows(subject: Subject) -> None:
    rng, count = np.random.default_rng(0), len(subject.samples)
    telling = np.eye(subject.classes)[subject.labels] + rng.normal(scale=0.2, size=(count, subject.classes))
    noise = [rng.normal(size=(count, 30)) for _ in range(2)]
    parts = [part.astype(np.float32) for part in (noise[0], telling, noise[1])]
    (found,) = all_stages(replace(subject, stages=parts))
    assert found.value > 0.9
