"""Strategies of several phases: what opens when, and that the engine runs them."""

from pathlib import Path

import pytest
import torch

from regraft import api, demo
from regraft.backbones.ownership import is_owned
from regraft.core import OptionError, Outline, Stage, TaskSummary, Train
from regraft.strategies import STRATEGIES, Settings, strategy_named
from regraft.strategies.applying import Arm, check_used
from regraft.tasks import few_shot

OUTLINE = Outline("net", "resnet", tuple(Stage(f"layer{i}", (f"layer{i}",), 10, 4) for i in range(4)))
SUMMARY = TaskSummary("image-classification", 3, 300, 100)
MESSAGES = Path(demo.__file__).parent / "intents"


def phases_of(name: str, **settings: object) -> list[Train]:
    plan = strategy_named(name).plan(OUTLINE, SUMMARY, Settings(**settings))  # type: ignore[arg-type]
    plan.check(OUTLINE)
    return [phase for phase in plan.phases if isinstance(phase, Train)]


def test_lp_ft_trains_the_head_alone_and_then_everything() -> None:
    probing, tuning = phases_of("lp-ft", epochs=7)
    assert (probing.frozen, tuning.frozen) == (4, 0)
    assert tuning.epochs == 7
    assert tuning.head_rate == tuning.rates[-1] < probing.head_rate


def test_gradual_unfreezing_opens_one_stage_at_a_time_from_the_last() -> None:
    phases = phases_of("gradual-unfreezing", epochs=7)
    assert [phase.frozen for phase in phases] == [4, 3, 2, 1, 0]
    assert [phase.epochs for phase in phases] == [1, 1, 1, 1, 7]
    assert sorted(phases[-1].rates) == list(phases[-1].rates)


def test_gradual_unfreezing_stops_at_a_boundary() -> None:
    assert [phase.frozen for phase in phases_of("gradual-unfreezing", boundary="layer1")] == [4, 3, 2]


def test_lp_ft_has_no_boundary() -> None:
    with pytest.raises(OptionError, match="--boundary"):
        phases_of("lp-ft", boundary="layer1")


@pytest.mark.parametrize(("name", "options"), [("lp-ft", {}), ("gradual-unfreezing", {"boundary": "layer.3"})])
def test_the_engine_runs_every_phase(name: str, options: dict[str, str], tmp_path: Path) -> None:
    task = few_shot(api.open_task(MESSAGES), 10, seed=0)
    start = api.load_backbone("bundled:minilm").module.state_dict()
    settings = Settings(epochs=2, learning_rate=3e-4, **options)  # type: ignore[arg-type]
    model = api.fit(task, name, backbone="bundled:minilm", settings=settings, out=tmp_path / "model")
    assert {step.phase for step in model.run.steps} == set(range(len(model.run.plan.phases)))
    outline, moved = model.backbone.outline, model.backbone.module.state_dict()
    kept = model.run.plan.frozen(outline)
    for number, stage in enumerate(outline):
        weights = [name for name in start if is_owned(name, stage.modules) and name.endswith("weight")]
        unchanged = [bool(torch.equal(start[name], moved[name])) for name in weights]
        assert all(unchanged) if number < kept else not any(unchanged), stage.name
    assert model.results["test"]["accuracy"] > 2 / len(task.classes)


@pytest.mark.parametrize("name", [one.name for one in STRATEGIES])
@pytest.mark.parametrize("option", [{"batch_norm": "train"}, {"augment": False}])
def test_what_texts_have_no_use_for_is_refused(name: str, option: dict[str, object]) -> None:
    texts = TaskSummary("text-classification", 3, 300, 100)
    with pytest.raises(OptionError, match="--batch-norm|augment"):
        strategy_named(name).plan(OUTLINE, texts, Settings(**option))  # type: ignore[arg-type]
    with pytest.raises(OptionError, match="none of lp-ft has a use for it"):
        check_used([Arm("lp-ft")], Settings(**option), "text-classification")  # type: ignore[arg-type]
