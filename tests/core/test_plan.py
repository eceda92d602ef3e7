"""Plans are plain data, and say what is wrong before anything is computed."""

import json
import subprocess
import sys

import pytest

from regraft.core import OptionError, Outline, Plan, PlanError, Solve, Stage, TaskSummary, Train
from regraft.strategies import STRATEGIES, Settings, strategy_named
from regraft.strategies.applying import applicable

OUTLINE = Outline("net", "resnet", tuple(Stage(f"s{i}", (f"m{i}",), 10 * (i + 1), 8) for i in range(5)))
SUMMARY = TaskSummary("image-classification", 4, 200, 40)


@pytest.mark.parametrize(
    ("boundary", "frozen"), [("none", 0), ("s0", 1), ("s4", 5), ("3", 3), ("60%", 3), ("0%", 0), ("100%", 5)]
)
def test_a_boundary_is_a_name_a_count_or_a_share(boundary: str, frozen: int) -> None:
    assert OUTLINE.frozen_stages(boundary) == frozen


@pytest.mark.parametrize("boundary", ["layer9", "9", "120%", "x%", "-1"])
def test_a_boundary_that_is_nowhere_lists_the_stages(boundary: str) -> None:
    with pytest.raises(OptionError, match="s0, s1, s2, s3, s4"):
        OUTLINE.frozen_stages(boundary)


@pytest.mark.parametrize("strategy", STRATEGIES, ids=lambda one: one.name)
def test_every_strategy_writes_a_plan_that_fits_and_survives_json(strategy) -> None:
    plan = strategy.plan(OUTLINE, SUMMARY, Settings(seed=7))
    plan.check(OUTLINE)
    assert Plan.from_json(json.loads(json.dumps(plan.to_json()))) == plan
    assert plan.seed == 7


@pytest.mark.parametrize(
    ("name", "frozen"),
    [("feature-extraction", 5), ("partial-fine-tuning", 3), ("full-fine-tuning", 0), ("from-scratch", 0)],
)
def test_strategies_freeze_what_they_say(name: str, frozen: int) -> None:
    assert strategy_named(name).plan(OUTLINE, SUMMARY, Settings()).frozen(OUTLINE) == frozen


def test_rates_fall_toward_the_input_by_a_factor_of_ten() -> None:
    (phase,) = strategy_named("full-fine-tuning").plan(OUTLINE, SUMMARY, Settings(learning_rate=1.0)).phases
    assert isinstance(phase, Train)
    assert list(phase.rates) == sorted(phase.rates)
    assert phase.rates[0] == pytest.approx(0.1)
    assert phase.rates[-1] == 1.0


def test_all_faults_of_a_plan_are_told_at_once() -> None:
    phases = (Train(epochs=0, rates=(0.0, 1.0, 0.0), head_rate=-1.0), Solve(strengths=()))
    with pytest.raises(PlanError) as caught:
        Plan("bad", "linear", phases).check(OUTLINE)
    for fault in (
        "3 rates for 5",
        "below 0",
        "frozen stage stands after",
        "epochs is 0",
        "no regularisation",
        "not solved",
    ):
        assert fault in str(caught.value)


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("feature-extraction", Settings(epochs=3)),
        ("feature-extraction", Settings(penalty="lwf")),
        ("full-fine-tuning", Settings(boundary="s1")),
        ("full-fine-tuning", Settings(head="logistic")),
        ("partial-fine-tuning", Settings(boundary="s4")),
        ("from-scratch", Settings(boundary="none")),
    ],
)
def test_settings_without_use_are_refused(name: str, settings: Settings) -> None:
    with pytest.raises(OptionError, match=name):
        strategy_named(name).plan(OUTLINE, SUMMARY, settings)


def test_nouns_and_strategies_import_no_torch() -> None:
    code = "import sys, regraft, regraft.core, regraft.strategies; sys.exit(any(m in sys.modules for m in ('torch', 'numpy')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("strategy", "asked", "told"),
    [
        ("feature-extraction", None, "s4"),
        ("feature-extraction", "s1", "s1"),
        ("feature-extraction", "all", "all"),
        ("partial-fine-tuning", "s2", "s2"),
        ("full-fine-tuning", None, "none"),
        ("lp-ft", None, "none"),
    ],
)
def test_a_plan_names_its_boundary_as_it_was_asked_for(strategy: str, asked: str | None, told: str) -> None:
    plan = strategy_named(strategy).plan(OUTLINE, SUMMARY, Settings(boundary=asked))
    assert plan.boundary(OUTLINE) == told


@pytest.mark.parametrize("strategy", ["feature-extraction", "lora", "from-scratch"])
def test_a_strength_without_a_use_for_it_is_refused(strategy: str) -> None:
    with pytest.raises(OptionError, match="--penalty-strength"):
        strategy_named(strategy).plan(OUTLINE, SUMMARY, Settings(penalty_strength=1.0))


def test_adapters_are_held_by_answers_or_source_samples_and_not_by_frozen_weights() -> None:
    for penalty in ("lwf", "replay"):
        (phase,) = strategy_named("lora").plan(OUTLINE, SUMMARY, Settings(penalty=penalty)).phases
        assert isinstance(phase, Train)
        assert phase.penalty is not None
        assert phase.penalty.kind == penalty
    with pytest.raises(OptionError, match="--penalty: l2-sp holds the trunk's own weights, which are frozen"):
        strategy_named("lora").plan(OUTLINE, SUMMARY, Settings(penalty="l2-sp"))


@pytest.mark.parametrize(("penalty", "left"), [("l2-sp", None), ("lwf", "lwf"), ("replay", "replay")])
def test_beside_others_lora_takes_the_penalties_that_it_has_a_use_for(penalty: str, left: str | None) -> None:
    asked = Settings(penalty=penalty, penalty_strength=2.0)  # type: ignore[arg-type]
    taken = applicable("lora", asked, "text-classification")
    assert (taken.penalty, taken.penalty_strength) == (left, left and 2.0)
