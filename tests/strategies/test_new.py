"""A strategy that nothing else knows by name is offered, recommended and run like any other."""

from dataclasses import dataclass
from pathlib import Path

import pytest

import regraft.recommending.offers
import regraft.strategies
from regraft import api
from regraft.core import Evidence, Measurement, Outline, Plan, Recommendation, TaskSummary
from regraft.core.outline import Stage
from regraft.demo import intents_folder
from regraft.recommending import offers_for, recommend
from regraft.recommending.prior import RULES
from regraft.strategies import STRATEGIES, Settings
from regraft.strategies.tuning import tuning_plan
from regraft.tasks import few_shot, open_task

OUTLINE = Outline("net", "resnet", tuple(Stage(f"layer{i}", (f"layer{i}",), 1000, 64) for i in range(6)))
MANY = TaskSummary("image-classification", 5, 2000, 400)


@dataclass(frozen=True)
class HalfFrozen:
    """Tune the later half."""

    name: str = "half-frozen"

    def plan(self, outline: Outline, summary: TaskSummary, settings: Settings) -> Plan:
        """Train from the middle on."""
        frozen = outline.frozen_stages(settings.boundary or "50%")
        return tuning_plan(self.name, outline, summary, settings, frozen=frozen, most_epochs=1)


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    known = (*STRATEGIES, HalfFrozen())  # what the one line in `__init__.py` does
    for module in (regraft.strategies, regraft.recommending.offers):
        monkeypatch.setattr(module, "STRATEGIES", known)


def advice(*more: Measurement) -> Recommendation:
    found = Evidence("flowers", "net", OUTLINE, (Measurement("probe/layer5", 0.80, 0.78, 0.82), *more))
    offers = offers_for("net", OUTLINE, MANY, Settings())
    return recommend(MANY, "accuracy", 2000, [found], offers, lambda offer: 1.0 + offer.epochs, prior=RULES)


def test_it_is_ranked_with_a_wide_interval() -> None:
    choices = {one.strategy: one for one in advice(Measurement("similarity/distance", 0.1)).choices}
    new, known = choices["half-frozen"], choices["full-fine-tuning"]
    assert new.high - new.low > known.high - known.low


def test_it_is_recommended_where_a_trial_says_so_and_the_rule_agrees() -> None:
    trial = Measurement("trial-gain/half-frozen", 0.15, 0.14, 0.16)
    found = advice(Measurement("similarity/distance", 0.1), trial)
    assert (found.best.strategy, found.best.boundary) == ("half-frozen", "layer2")
    assert [rule.agrees for rule in found.rules if rule.applies] == [True]


def test_what_is_recommended_can_be_run(tmp_path: Path) -> None:
    task = few_shot(open_task(intents_folder()), 2, seed=0)
    trial = Measurement("trial-gain/half-frozen", 0.15, 0.14, 0.16)
    trunk = api.load_backbone("bundled:minilm", kind="text")
    last = trunk.outline.stages[-1].name
    found = Evidence("intents", "bundled:minilm", trunk.outline, (Measurement(f"probe/{last}", 0.5, 0.4, 0.6), trial))
    offers = offers_for("bundled:minilm", trunk.outline, task.summary(), Settings())
    best = recommend(task.summary(), "accuracy", len(task.train), [found], offers, lambda _: 1.0, prior=RULES).best
    assert best.strategy == "half-frozen"
    prepared = api.prepare(task, best, trunk, Settings(), api.Resources(device="cpu", offline=True))
    assert prepared.plan.boundary(trunk.outline) == best.boundary
