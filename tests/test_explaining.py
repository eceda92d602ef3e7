"""What an answer rests on: words left out, squares covered."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import regraft
from regraft.core import OptionError, TextSample
from regraft.demo import intents_folder
from regraft.explaining import explain
from regraft.hierarchy import look, stage_probes


@pytest.fixture(scope="module")
def model() -> regraft.Model:
    return regraft.fit(regraft.open_task(intents_folder()), "feature-extraction", backbone="bundled:minilm")


def test_a_words_weight_is_the_fall_of_the_share_without_it(model: regraft.Model) -> None:
    found = explain(model, TextSample("here", "Where is my parcel?"))
    column = model.classes.index(found.label)
    whole, without = model.probabilities([TextSample("a", "Where is my parcel?"), TextSample("b", "Where is my")])[
        :, column
    ]
    assert found.share == pytest.approx(whole, abs=1e-4)
    assert found.pieces[-1].text == "parcel?"
    assert found.pieces[-1].weight == pytest.approx(whole - without, abs=1e-4)


def test_a_long_text_is_covered_in_runs_that_leave_nothing_out(model: regraft.Model) -> None:
    text = " ".join(f"word{n}" for n in range(150))
    pieces = explain(model, TextSample("here", text)).pieces
    assert len(pieces) <= 60
    assert " ".join(piece.text for piece in pieces) == text


def test_the_class_to_explain_can_be_named(model: regraft.Model) -> None:
    assert explain(model, TextSample("here", "hello"), "return_refund").label == "return_refund"
    with pytest.raises(OptionError, match="the model knows"):
        explain(model, TextSample("here", "hello"), "nothing")


def test_the_place_that_decides_weighs_most(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for number in range(40):
        pixels = np.full((64, 64, 3), 110, np.uint8)
        if number % 2:
            pixels[:24, :24] = 255
        pixels = np.clip(pixels + rng.integers(-20, 20, pixels.shape), 0, 255).astype(np.uint8)
        place = tmp_path / ("plain", "corner")[number % 2]
        place.mkdir(exist_ok=True)
        Image.fromarray(pixels).save(place / f"{number}.png")
    task = regraft.open_task(tmp_path)
    model = regraft.fit(task, "feature-extraction", backbone="scratch:test_resnet")
    split = task.train
    sample = next(
        one for one, target in zip(split.samples, split.targets, strict=True) if task.classes[target] == "corner"
    )
    grid = np.array(explain(model, sample, "corner").grid)
    assert grid.shape == (8, 8)
    assert grid[:4, :4].mean() > grid[4:, 4:].mean()


def test_a_look_tells_each_stage() -> None:
    task = regraft.open_task(intents_folder())
    probes = stage_probes(task, "bundled:minilm")
    found = look(probes, TextSample("here", "Where is my parcel?"))
    assert [stage.name for stage in found.stages] == [stage.name for stage in probes.backbone.outline]
    assert found.label == "delivery_status"
    for stage in found.stages:
        assert sum(stage.shares) == pytest.approx(1)
        assert len(stage.falls) == len(found.words) == 4
