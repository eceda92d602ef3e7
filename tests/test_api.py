"""The Python interface on real pictures, and the sentences of a comparison."""

from pathlib import Path

import numpy as np
import pytest

import regraft
from regraft import api
from regraft.api import Resources, Settings
from regraft.comparing import TransferGain, gain_sentence
from regraft.core import DataError, Step
from regraft.inputs import samples_from
from regraft.tasks import few_shot


@pytest.fixture(scope="module")
def weights(shared: Path) -> str:
    return str(shared / "models" / "mobilenetv2_100.imagenet")


def test_feature_extraction_on_real_pictures_is_saved_and_loaded_alike(
    shared: Path, weights: str, tmp_path: Path
) -> None:
    task = few_shot(regraft.open_task(shared / "data" / "vision" / "hymenoptera"), 15, seed=0)
    model = regraft.fit(task, "feature-extraction", backbone=weights, resources=Resources(offline=True))
    assert model.results["test"]["accuracy"] > 0.75
    model.save(tmp_path / "ants")
    again = regraft.load(tmp_path / "ants")
    samples = task.splits["test"].samples[:8]
    assert np.array_equal(model.probabilities(samples), again.probabilities(samples))
    assert again.backbone.passport == model.backbone.passport
    assert again.run == model.run
    files = [Path(one.path) for one in samples]
    assert again.predict(files) == again.predict([str(one) for one in files])
    assert [one.label for one in again.predict(files)] == [one.label for one in again.predict(samples)]
    with pytest.raises(DataError, match="nowhere.jpg: no usable picture"):
        again.predict(["nowhere.jpg"])


def test_partial_tuning_changes_only_what_it_says(shared: Path, weights: str) -> None:
    task = few_shot(regraft.open_task(shared / "data" / "vision" / "blood_cells"), 2, seed=0)
    settings = Settings(boundary="blocks.6", epochs=1)
    start = regraft.load_backbone(weights).module.state_dict()
    model = regraft.fit(few_test(task), "partial-fine-tuning", backbone=weights, settings=settings)
    after = model.backbone.module.state_dict()
    changed = {name.split(".")[0] for name in start if not np.array_equal(start[name].numpy(), after[name].numpy())}
    assert changed == {"conv_head", "bn2"}


def few_test(task):
    from dataclasses import replace

    from regraft.core import Split

    test = task.splits["test"]
    return replace(task, splits={**task.splits, "test": Split(test.samples[::24], test.targets[::24])})


def test_inputs_of_all_kinds(shared: Path, tmp_path: Path) -> None:
    folder = shared / "data" / "vision" / "hymenoptera" / "test"
    some = next(folder.rglob("*.jpg"))
    (tmp_path / "bad.jpg").write_bytes(b"no")
    samples, refused = samples_from([str(some), str(some.parent / "*.jpg"), str(tmp_path)], [], "image-classification")
    assert len(samples) > 10
    assert len(refused) == 1
    (tmp_path / "texts.txt").write_text("one\n\ntwo\n")
    assert [one.source for one in samples_from([str(tmp_path / "texts.txt")], [], "text-classification")[0]] == [
        f"{tmp_path}/texts.txt:1",
        f"{tmp_path}/texts.txt:3",
    ]
    with pytest.raises(DataError, match="no such picture"):
        samples_from(["nowhere/*.jpg"], [], "image-classification")


@pytest.mark.parametrize(
    ("low", "high", "said"), [(-0.2, -0.1, "NEGATIVE TRANSFER"), (-0.1, 0.1, "no difference"), (0.1, 0.2, "saved")]
)
def test_the_gain_is_told_with_its_sign(low: float, high: float, said: str) -> None:
    assert said in gain_sentence(TransferGain("lp", (low + high) / 2, low, high, 0.5, None))


def test_seconds_of_an_interrupted_run_are_told_apart() -> None:
    told = [Step(0, 0, 1.0, {}, seconds=5.0), Step(0, 1, 1.0, {}, seconds=0.0)]
    earlier: list[Step] = []
    assert list(api._reported(iter(told), None, earlier)) == told
    assert earlier == told[:1]
