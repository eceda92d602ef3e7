"""The choice as a pure function of evidence."""

import json
import shlex
import subprocess
import sys
from dataclasses import replace

import pytest

from regraft.cli.recommend import said_command
from regraft.core import Evidence, Measurement, OptionError, Outline, Recommendation, TaskSummary
from regraft.core.outline import Stage
from regraft.recommending import Offer, contenders, offers_for, recommend
from regraft.recommending.decision_table import within_reach
from regraft.recommending.estimate import Estimate, anchor, gained
from regraft.recommending.prior import RULES, prior_from_json
from regraft.recommending.ranking import ranked
from regraft.recommending.reasons import _first_said, _labels_said, _probe_said
from regraft.recommending.situation import Situation
from regraft.strategies import Settings

OUTLINE = Outline("net", "resnet", tuple(Stage(f"layer{i}", (f"layer{i}",), 1000, 64) for i in range(6)))
PROBE = Measurement("probe/layer5", 0.80, 0.78, 0.82)
FEW, MANY = TaskSummary("image-classification", 5, 50, 10), TaskSummary("image-classification", 5, 2000, 400)
NEAR, FAR = Measurement("similarity/distance", 0.1), Measurement("similarity/distance", 0.9)


def evidence(*more: Measurement, backbone: str = "net") -> Evidence:
    return Evidence("flowers", backbone, OUTLINE, (PROBE, *more))


def cost(offer: Offer) -> float:
    return 1.0 + 10 * offer.epochs * (1 - offer.frozen_share + 0.1)


def advice(summary: TaskSummary, *found: Evidence) -> Recommendation:
    offers = [offer for one in found for offer in offers_for(one.backbone, OUTLINE, summary, Settings())]
    return recommend(summary, "accuracy", summary.samples, found, offers, cost, prior=RULES)


def test_few_labels_near_by_take_the_probe() -> None:
    found = advice(FEW, evidence(NEAR))
    assert (found.best.strategy, found.best.head) == ("feature-extraction", "logistic")
    assert found.best.cost_seconds == min(one.cost_seconds for one in found.choices)


def test_many_labels_far_away_tune_the_network() -> None:
    assert advice(MANY, evidence(FAR)).best.strategy in {"full-fine-tuning", "lp-ft"}


def test_a_trial_overrules_what_is_believed() -> None:
    worse = Measurement("trial-gain/full-fine-tuning", -0.10, -0.12, -0.08)
    better = Measurement("trial-gain/partial-fine-tuning", 0.12, 0.10, 0.14)
    best = advice(MANY, evidence(FAR, worse, better)).best
    assert best.strategy == "partial-fine-tuning"
    assert any("Tried on a piece" in reason for reason in best.reasons)


def test_what_a_trial_gained_on_a_piece_is_a_share_of_what_the_probe_lacked_there() -> None:
    offer = next(one for one in offers_for("net", OUTLINE, MANY, Settings()) if one.strategy == "full-fine-tuning")
    trial = (
        Measurement("trial-gain/full-fine-tuning", 0.25, 0.22, 0.28),
        Measurement("trial-samples/full-fine-tuning", 200.0),
    )
    # The piece's probe reached 0.55; that of all samples 0.80.
    reference = Measurement("trial/full-fine-tuning", 0.80, 0.77, 0.83)
    gain, measured = gained(offer, Situation(MANY, 2000, evidence(NEAR, *trial, reference)), RULES)
    alike, _ = gained(offer, Situation(MANY, 2000, evidence(NEAR, *trial)), RULES)
    assert measured == trial[0]
    assert 0 < gain.mean < 0.2  # the probe lacks no more
    assert gain.mean < alike.mean


def test_a_smaller_piece_changes_what_probes_reach_and_not_what_they_gain() -> None:
    whole = Measurement("probe/all", 0.83, 0.81, 0.85)
    situation = Situation(MANY, 2000, evidence(NEAR, whole))
    there = situation.had_probe_reached(0.6)
    assert there.reached == pytest.approx(0.6)
    assert there.all_gain == pytest.approx(situation.all_gain)


def test_ties_go_to_the_cheaper() -> None:
    found = advice(MANY, evidence(FAR))
    best = max(found.choices, key=lambda one: one.expected)
    tied = [one for one in found.choices if best.expected - one.expected <= 0.005]
    assert found.best.cost_seconds == min(one.cost_seconds for one in tied)


def test_intervals_are_wider_where_less_is_known() -> None:
    trial = Measurement("trial-gain/full-fine-tuning", 0.08, 0.06, 0.10)
    known, unknown = advice(MANY, evidence(FAR, trial)), advice(MANY, evidence(FAR))
    blind = advice(MANY, Evidence("flowers", "net", OUTLINE, ()))
    widths = [
        next(one.high - one.low for one in found.choices if one.strategy == "full-fine-tuning")
        for found in (known, unknown, blind)
    ]
    assert widths == sorted(widths)
    assert widths[0] < widths[1] < widths[2]


def test_it_answers_without_any_measurement() -> None:
    found = advice(FEW, Evidence("flowers", "net", OUTLINE, ()))
    assert 0 <= found.best.low <= found.best.expected <= found.best.high <= 1
    assert any("No probe was measured" in reason for reason in found.reasons)


def test_the_command_that_follows_is_what_a_shell_takes() -> None:
    other = Evidence("flowers", "my nets/one", OUTLINE, (PROBE, NEAR))
    said = said_command(advice(FEW, other), "'my data'", "--seed", "7")
    words = shlex.split(said.partition("regraft ")[2])
    assert words[:4] == ["fit", "my data", "--out", "MODEL"]
    assert words[words.index("--backbone") + 1] == "my nets/one"
    assert words[-2:] == ["--seed", "7"]


def test_the_better_backbone_is_taken() -> None:
    other = Evidence("flowers", "other", OUTLINE, (Measurement("probe/layer5", 0.9, 0.88, 0.92), NEAR))
    assert advice(FEW, evidence(NEAR), other).best.backbone == "other"


def test_an_earlier_stage_that_probes_better_is_offered() -> None:
    found = advice(FEW, evidence(NEAR, Measurement("probe/layer2", 0.92, 0.90, 0.94)))
    assert (found.best.strategy, found.best.boundary) == ("feature-extraction", "layer2")


def test_one_rule_applies_and_says_whether_it_agrees() -> None:
    rules = advice(FEW, evidence(NEAR)).rules
    assert [rule.applies for rule in rules] == [True, False, False, False]
    assert rules[0].agrees is True
    disagreeing = advice(FEW, evidence(NEAR, Measurement("trial-gain/lp-ft", 0.15, 0.14, 0.16))).rules[0]
    assert disagreeing.agrees is False
    assert "trial-gain/lp-ft" in disagreeing.because


def test_json_has_the_promised_keys() -> None:
    found = json.loads(json.dumps(advice(FEW, evidence(NEAR)).to_json()))
    assert {"recommended", "ranking", "evidence", "reasons", "seconds"} <= found.keys()
    assert found["recommended"].keys() == {"backbone", "strategy", "boundary", "head", "epochs", "learning_rate"}
    assert {"strategy", "boundary", "backbone", "expected", "low", "high", "cost_seconds"} <= found["ranking"][0].keys()


def test_a_notebook_shows_the_ranking() -> None:
    shown = advice(FEW, evidence(NEAR))._repr_html_()
    assert shown.startswith("<table>")
    assert "feature-extraction" in shown


def test_every_strategy_is_offered_and_partial_at_every_boundary() -> None:
    offers = offers_for("net", OUTLINE, MANY, Settings())
    assert len({offer.strategy for offer in offers}) == 7
    assert {offer.boundary for offer in offers if offer.strategy == "partial-fine-tuning"} == {
        f"layer{i}" for i in range(5)
    }


def test_what_the_user_fixed_is_kept() -> None:
    offers = offers_for("net", OUTLINE, MANY, Settings(epochs=3, boundary="layer1"))
    assert {offer.epochs for offer in offers} == {0, 3}
    assert {offer.boundary for offer in offers} == {"layer1"}
    assert "full-fine-tuning" not in {offer.strategy for offer in offers}  # it cannot freeze anything


def test_nothing_is_offered_that_ignores_an_option() -> None:
    offers = offers_for("net", OUTLINE, MANY, Settings(penalty="l2-sp"))
    assert {offer.strategy for offer in offers} == {
        "partial-fine-tuning",
        "full-fine-tuning",
        "lp-ft",
        "gradual-unfreezing",
    }


def test_options_that_no_strategy_can_take_are_refused() -> None:
    with pytest.raises(OptionError, match="no strategy can do what is asked for"):
        offers_for("net", OUTLINE, MANY, Settings(boundary="layer9"))


def test_only_what_may_be_best_is_tried() -> None:
    offers = offers_for("net", OUTLINE, FEW, Settings())
    tried = contenders(offers, Situation(FEW, 60, evidence(NEAR)), RULES)
    assert "from-scratch" not in {offer.strategy for offer in tried}
    assert all(offer.usual for offer in tried)


def test_more_labels_than_were_probed_are_worth_what_the_curve_says() -> None:
    curve = (Measurement("curve/100", 0.70), Measurement("curve/200", 0.80))
    flat, rising = Situation(FEW, 120, evidence(NEAR)), Situation(FEW, 120, evidence(NEAR, *curve))
    assert anchor(rising, RULES)[0] > anchor(flat, RULES)[0] > PROBE.value


def test_a_learned_prior_predicts_what_it_was_given() -> None:
    names = Situation(MANY, 2000, evidence(FAR)).numbers()
    data = {
        "strategies": {"lp-ft": {"bias": 0.03, "weights": {"all_gain": 0.02}, "spread": {"few": 0.04, "many": 0.02}}},
        "centre": dict.fromkeys(names, 0.0) | {"all_gain": -0.1},
        "scale": dict.fromkeys(names, 1.0) | {"all_gain": 0.5},
        "anchor": {"shift": 0.0, "spread": 0.01, "slope": 0.05, "probe_noise": 1.0, "width": 1.0},
        "most_per_class": 15.0,
        "most_samples": 4000,
        "made_by": "a test",
        "evaluation": None,
    }
    offer = next(one for one in offers_for("net", OUTLINE, MANY, Settings()) if one.strategy == "lp-ft")
    situation = Situation(MANY, 2000, evidence(FAR, Measurement("probe/all", PROBE.value + 0.05)))
    gain, measured = gained(offer, situation, prior_from_json(data))
    assert measured is None
    assert gain.mean == pytest.approx(within_reach(0.03 + 0.02 * (0.05 + 0.1) / 0.5, PROBE.value))
    assert gain.spread == pytest.approx(0.02)


def test_more_samples_than_were_learned_from_count_as_so_many() -> None:
    rising = {"bias": 0.0, "weights": {"samples": 0.01}, "spread": {"few": 0.04, "many": 0.02}}
    names = Situation(MANY, 2000, evidence(FAR)).numbers()
    prior = replace(
        RULES,
        strategies={"lp-ft": rising},
        centre=dict.fromkeys(names, 0.0),
        scale=dict.fromkeys(names, 1.0),
        most_samples=1000,
    )
    offer = next(one for one in offers_for("net", OUTLINE, MANY, Settings()) if one.strategy == "lp-ft")
    gains = [
        prior.gain(offer, Situation(replace(MANY, samples=count), count, evidence(FAR))).mean
        for count in (500, 1000, 9000)
    ]
    assert gains[0] < gains[1] == gains[2]


def probe(stage: str, value: float, reach: float = 0.005) -> Measurement:
    return Measurement(f"probe/{stage}", value, value - reach, value + reach)


def expected(found: Recommendation) -> dict[str, float]:
    return {one.boundary: one.expected for one in found.choices if one.strategy == "feature-extraction"}


def test_a_sure_probe_is_believed_whatever_was_learned() -> None:
    whole = {"bias": 0.04, "weights": {}, "spread": {"few": 0.06, "many": 0.06}}
    earlier = {"bias": -0.02, "weights": {}, "spread": {"few": 0.02, "many": 0.02}}
    prior = replace(RULES, strategies={"feature-extraction@all": whole, "feature-extraction@earlier": earlier})
    sure = Evidence("flowers", "net", OUTLINE, (probe("layer5", 0.8), probe("layer4", 0.55), probe("all", 0.79)))
    found = recommend(MANY, "accuracy", 2000, [sure], offers_for("net", OUTLINE, MANY, Settings()), cost, prior=prior)
    reached = expected(found)
    assert reached["layer4"] < reached["layer5"] - 0.2
    assert reached["all"] == pytest.approx(reached["layer5"] - 0.01, abs=0.005)


def test_where_all_is_nearly_perfect_the_best_probe_is_taken_and_not_the_cheapest() -> None:
    probes = [probe(f"layer{i}", value) for i, value in enumerate((0.6, 0.8, 0.95, 0.975, 0.98, 0.985))]
    easy = Evidence("digits", "net", OUTLINE, (*probes, probe("all", 0.99)))
    offers = offers_for("net", OUTLINE, MANY, Settings())
    best = recommend(MANY, "accuracy", 2000, [easy], offers, cost).best
    assert (best.strategy, best.boundary) == ("feature-extraction", "all")


def test_the_luckiest_of_many_noisy_early_stages_is_not_taken() -> None:
    low_by_chance = [probe("layer5", 0.4, 0.12), probe("all", 0.7, 0.12), probe("layer1", 0.75, 0.12)]
    offers = offers_for("net", OUTLINE, FEW, Settings())
    evidence = Evidence("flowers", "net", OUTLINE, tuple(low_by_chance))
    reached = expected(recommend(FEW, "accuracy", 60, [evidence], offers, cost))
    assert reached["layer1"] < reached["all"]


def test_a_tie_goes_to_the_cheaper_only_where_that_saves_half_and_ten_seconds() -> None:
    offers = offers_for("net", OUTLINE, FEW, Settings())
    first, second = offers[0], offers[1]

    def estimate(offer: Offer, expected: float, seconds: float) -> Estimate:
        return Estimate(offer, expected, expected - 0.1, expected + 0.1, 0.0, 0.02, None, seconds, "a test")

    best, nearly = estimate(first, 0.804, 100.0), estimate(second, 0.800, 60.0)
    assert ranked([nearly, best])[0] is best
    assert ranked([replace(nearly, cost_seconds=40.0), best])[0] == replace(nearly, cost_seconds=40.0)
    at_once = replace(best, cost_seconds=8.0)  # seconds are not worth half a point
    assert ranked([replace(nearly, cost_seconds=1.0), at_once])[0] is at_once


def test_only_the_cheapest_is_called_so() -> None:
    offers = offers_for("net", OUTLINE, FEW, Settings())
    dear, cheap = (
        Estimate(offer, expected, 0.7, 0.9, 0.0, 0.02, None, seconds, "a test")
        for offer, expected, seconds in ((offers[0], 0.804, 10.0), (offers[1], 0.800, 6.0))
    )
    said = " ".join(_first_said(dear, ranked([dear, cheap]), "accuracy"))
    assert "cheapest" not in said
    assert "as well as 1 more" in said
    cheapest = replace(dear, cost_seconds=5.0)
    assert "cheapest of 2" in " ".join(_first_said(cheapest, ranked([cheapest, cheap]), "accuracy"))


def test_of_two_that_may_be_perfect_the_one_that_gains_more_is_first() -> None:
    first, second = offers_for("net", OUTLINE, FEW, Settings())[:2]
    some = Estimate(first, 1.0, 0.9, 1.0, 0.01, 0.02, None, 5.0, "a test")
    more = Estimate(second, 1.0, 0.9, 1.0, 0.03, 0.02, None, 5.0, "a test")
    assert ranked([some, more])[0] is more
    assert ranked([more, some])[0] is more


def test_a_learned_prior_is_kept_to_what_it_was_learned_from() -> None:
    learned = replace(RULES, most_per_class=15.0)
    few, many = (Situation(summary, 2000, evidence(NEAR)) for summary in (FEW, MANY))
    tags = Situation(replace(FEW, kind="token-classification"), 60, evidence(NEAR))
    assert learned.at(few) is learned
    assert learned.at(many) is RULES
    assert learned.at(tags) is RULES


def test_two_probes_that_are_noisier_than_they_say_move_the_prior_less() -> None:
    whole = Measurement("probe/all", PROBE.value + 0.1, PROBE.value + 0.06, PROBE.value + 0.14)
    offer = next(one for one in offers_for("net", OUTLINE, FEW, Settings()) if one.boundary == "all")
    noisy = replace(RULES, anchor={**RULES.anchor, "probe_noise": 2.0})
    situation = Situation(FEW, 60, evidence(NEAR, whole))
    assert gained(offer, situation, noisy)[0].mean < gained(offer, situation, RULES)[0].mean


def test_reasons_tell_what_makes_accuracy_mean_little() -> None:
    uneven, twins = Measurement("profile/imbalance", 40.0), Measurement("profile/duplicates", 0.3)
    said = " ".join(advice(FEW, evidence(NEAR, uneven, twins)).reasons)
    assert "40 times as many" in said
    assert "30 % of the training samples nearly repeat another" in said
    assert "nearly repeat" not in " ".join(advice(FEW, evidence(NEAR)).reasons)


def test_scratch_is_of_the_backbone_that_is_recommended() -> None:
    poor = Evidence("flowers", "other", OUTLINE, (Measurement("probe/layer5", 0.3, 0.28, 0.32), NEAR))
    said = " ".join(advice(MANY, poor, evidence(NEAR)).reasons)
    mine = next(one for one in advice(MANY, evidence(NEAR)).choices if one.strategy == "from-scratch")
    assert f"From scratch the same network is expected to reach {mine.expected:.3f}" in said


def test_a_gain_stays_within_what_is_missing_and_keeps_its_order() -> None:
    gains = [within_reach(gain, 0.9) for gain in (-2.0, -0.05, 0.0, 0.01, 0.05, 0.2, 1.0)]
    assert gains == sorted(gains)
    assert gains[0] == -0.9
    assert gains[-1] <= 0.06
    assert within_reach(-0.35, -0.1) == 0  # a correlation may be below 0
    assert within_reach(0.001, 0.9) == pytest.approx(0.001, rel=0.01)


def unmeasured(summary: TaskSummary) -> Recommendation:
    """Of texts that nothing is known of but their counts."""
    text = Outline("bert", "bert", OUTLINE.stages)
    offers = offers_for("bert", text, summary, Settings())
    return recommend(summary, "f1", summary.samples, [Evidence("texts", "bert", text, ())], offers, cost, prior=RULES)


def test_tagged_words_and_answers_have_offers_too() -> None:
    for kind in ("token-classification", "question-answering"):
        assert unmeasured(replace(MANY, kind=kind)).best.strategy != "feature-extraction"


def test_an_answer_to_every_question_is_no_perfect_score() -> None:
    best = unmeasured(TaskSummary("question-answering", 1, 150, 150)).best
    assert best.expected < 1
    assert best.strategy != "feature-extraction"


def test_what_was_not_measured_is_neither_near_nor_far() -> None:
    alone = Situation(FEW, 60, Evidence("flowers", "net", OUTLINE, (PROBE,)))
    assert alone.far is None
    assert not any(rule.applies for rule in advice(FEW, alone.evidence).rules)
    found = Evidence("flowers", "net", OUTLINE, (PROBE, Measurement("headroom/stage", 0.05, 0.02, 0.08)))
    assert Situation(FEW, 60, found).far


def test_a_trial_of_a_tagger_is_called_what_it_is() -> None:
    summary = replace(MANY, kind="token-classification", classes=15)
    source = "trained on 300 training samples, compared with the probe on 100 others"
    trial = (
        Measurement("trial/feature-extraction", 0.61, 0.58, 0.64, source=source),
        Measurement("trial-samples/feature-extraction", 300.0),
    )
    situation = Situation(summary, 2000, Evidence("tags", "net", OUTLINE, trial))
    assert situation.had_probe_reached(0.4).reached == pytest.approx(0.4)
    said = f"{_labels_said(situation)} {_probe_said(situation)}"
    assert f"A head on the frozen trunk reaches 0.610 (80 % interval 0.580 to 0.640): {source}." in said
    assert "cross-validation" not in said
    assert "of each of" not in said


def test_no_numerical_library_is_imported() -> None:
    code = "import sys, regraft.recommending; print({'torch', 'numpy'} & set(sys.modules))"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
        == "set()"
    )
