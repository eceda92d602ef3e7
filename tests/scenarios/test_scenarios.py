"""Questions as data, right answers by measurement."""

from dataclasses import replace

import pytest

from regraft.core import Choice, Measurement, OptionError, Recommendation
from regraft.scenarios import SCENARIOS, Scenario, answer_given, graded
from regraft.scenarios.stored import Stored, stored_for, stored_from_json
from regraft.scenarios.verdict import verdict_of


def kept(scenario: Scenario) -> Stored:
    found = stored_for(scenario)
    assert found is not None, f"no measurements of {scenario.name}: run benchmarks/verdict/scenarios.py"
    return found


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda one: one.name)
def test_every_question_has_a_right_choice_by_its_measurements(scenario: Scenario) -> None:
    found = verdict_of(scenario, kept(scenario).recommendation())
    keys = {one.key for one in scenario.answers}
    assert found.right
    assert set(found.right) < keys
    assert found.of_each.keys() == keys
    assert found.why


def test_numbers_and_keys_are_each_their_own() -> None:
    assert [one.number for one in SCENARIOS] == list(range(1, len(SCENARIOS) + 1))
    assert all(len({answer.key for answer in one.answers}) == len(one.answers) for one in SCENARIOS)


def test_other_measurements_give_another_verdict() -> None:
    far = next(one for one in SCENARIOS if one.name == "far-domain")
    stored = kept(far)
    (evidence,) = stored.evidence
    names = {"full-fine-tuning", "lp-ft", "partial-fine-tuning", "gradual-unfreezing", "lora"}
    trials = {name: Measurement(f"trial-gain/{name}", -0.3, -0.31, -0.29) for name in names}
    scratch = Measurement("trial-gain/from-scratch", 0.2, 0.19, 0.21)
    rest = tuple(one for one in evidence if not one.name.startswith("trial"))
    changed = replace(stored, evidence=(replace(evidence, measurements=(*rest, *trials.values(), scratch)),))
    assert verdict_of(far, changed.recommendation()).right == ("d",)


def test_stored_measurements_survive_json() -> None:
    stored = kept(SCENARIOS[0])
    again = stored_from_json(stored.to_json())
    assert again.recommendation().best == stored.recommendation().best


def test_the_safest_is_the_one_with_the_highest_lower_end() -> None:
    flowers = SCENARIOS[0]
    advice = kept(flowers).recommendation()
    target = max(advice.choices, key=lambda one: one.low)
    told = verdict_of(flowers, advice)
    assert f"{target.low:.3f} to {target.high:.3f}" in told.why[0]
    wide = tuple(
        replace(one, low=one.low - 0.3) if one.strategy == "feature-extraction" else one for one in advice.choices
    )
    assert verdict_of(flowers, replace(advice, choices=wide)).right != told.right


def test_an_answer_is_graded() -> None:
    scenario = SCENARIOS[1]
    advice: Recommendation = kept(scenario).recommendation()
    assert graded(scenario, "c", advice, "stored").right is True
    assert graded(scenario, "a", advice, "stored").right is False
    assert graded(scenario, None, advice, "stored").right is None


def test_what_must_not_forget_leaves_the_trunk_frozen() -> None:
    scenario = next(one for one in SCENARIOS if one.name == "keep-source")
    found = verdict_of(scenario, kept(scenario).recommendation())
    assert [one.strategies for one in scenario.answers if one.key in found.right] == [("feature-extraction",)]


@pytest.mark.parametrize(
    ("word", "said"),
    [("1", "such as 1=b"), ("99=a", "no scenario 99"), ("1=z", "the choices a, b, c, d"), ("x=a", "1=b")],
)
def test_answers_that_mean_nothing_are_refused(word: str, said: str) -> None:
    with pytest.raises(OptionError, match=said):
        answer_given(word)


def test_an_answer_names_a_question_and_a_choice() -> None:
    scenario, key = answer_given(" 2=C")
    assert (scenario.number, key) == (2, "c")


def test_a_choice_knows_its_backbone() -> None:
    best = kept(SCENARIOS[0]).recommendation().best
    assert isinstance(best, Choice)
    assert "/" not in best.backbone
