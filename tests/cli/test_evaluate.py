"""A model is measured on nothing that it learnt from, on all of other data, and on what its split was when it was fitted."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from regraft import api
from regraft.cli.main import run
from regraft.core import Split, TextSample
from regraft.tasks import Columns

from .conftest import INTENTS, PROBE, SMALL, called, refused, write_table


def sentences(count: int, first: int = 0) -> list[tuple[str, str]]:
    words = {"refund": "I want my money back for order", "greeting": "good morning to you from room"}
    return [(f"{words[label]} {number}", label) for number in range(first, first + count) for label in sorted(words)]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> str:
    return write_table(tmp_path_factory.mktemp("data") / "hundred.csv", sentences(50))


@pytest.fixture(scope="module")
def fitted(data: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Fitted with another seed than the one that `evaluate` has by default."""
    folder = tmp_path_factory.mktemp("fitted")
    call = ["fit", data, "--out", str(folder / "m"), "--seed", "1", "--cache-dir", str(folder / "cache"), "--quiet"]
    assert run([*call, *PROBE]) == 0
    return str(folder / "m")


def texts(split: Split) -> set[str]:
    return {one.text for one in split.samples if isinstance(one, TextSample)}


@pytest.mark.parametrize("seed", ["0", "1", "2"])
def test_the_split_is_that_of_the_fit(seed: str, data: str, fitted: str, capsys: pytest.CaptureFixture[str]) -> None:
    part = api.part_to_measure(api.load(fitted), data)
    assert texts(part.split) == texts(api.open_task(data, seed=1).splits["test"])
    told = called(capsys, "evaluate", fitted, data, "--seed", seed)
    saved = json.loads((Path(fitted) / "model.json").read_text())["results"]["test"]
    assert told["metrics"]["log_loss"] == pytest.approx(saved["log_loss"], abs=1e-4)


def test_a_split_learnt_from_is_said_to_be_one(data: str, fitted: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["evaluate", fitted, data, "--split", "train"]) == 0
    assert "the model learnt from this split" in capsys.readouterr().err


def test_all_of_other_data_is_measured(fitted: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = write_table(tmp_path / "other.csv", sentences(15, first=1000))
    assert run(["evaluate", fitted, other]) == 0
    out, err = capsys.readouterr()
    assert "on all of" in out
    assert "(30 samples)" in " ".join(out.split())
    assert "measured on all that the model did not learn" in " ".join(err.split())
    assert "leave it away" in refused(capsys, "evaluate", fitted, other, "--split", "train")


def test_what_was_learnt_is_left_out_of_other_data(
    data: str, fitted: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    grown = write_table(tmp_path / "grown.csv", sentences(55))
    assert run(["evaluate", fitted, grown, "--json"]) == 0
    out, err = capsys.readouterr()
    assert sum(map(sum, json.loads(out)["confusion"]["counts"])) == 20 + 10
    assert "80 samples left out, since the model learnt from them" in err
    seen = api.open_task(data, seed=1).train.samples
    rows = [(one.text, "refund" if "money" in one.text else "greeting") for one in seen if isinstance(one, TextSample)]
    assert "every sample" in refused(capsys, "evaluate", fitted, write_table(tmp_path / "seen.csv", rows))


def test_a_folder_of_a_test_file_alone_is_not_divided(
    fitted: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "held").mkdir()
    write_table(tmp_path / "held/test.csv", sentences(25, first=500))
    told = called(capsys, "evaluate", fitted, str(tmp_path / "held"))
    assert sum(map(sum, told["confusion"]["counts"])) == 50
    found = called(capsys, "inspect", str(tmp_path / "held"))  # there is nothing else to learn from, which is said
    assert "no-training-part" in {one["code"] for one in found["problems"]}


def test_one_class_is_enough_to_measure(fitted: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one = write_table(tmp_path / "one.csv", [row for row in sentences(12, first=200) if row[1] == "refund"])
    told = called(capsys, "evaluate", fitted, one)
    assert told["confusion"]["classes"] == ["greeting", "refund"]
    assert sum(told["confusion"]["counts"][1]) == 12


def test_a_few_shots_keep_the_test_part_of_the_whole(
    data: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    called(capsys, "fit", data, "--out", str(tmp_path / "m"), "--seed", "3", "--shots", "4", *PROBE)
    part = api.part_to_measure(api.load(tmp_path / "m"), data)
    assert texts(part.split) == texts(api.open_task(data, seed=3).splits["test"])


def test_groups_of_the_fit_are_remembered(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [f"{text},{label},{number // 4}" for number, (text, label) in enumerate(sentences(40))]
    (tmp_path / "grouped.csv").write_text("\n".join(["text,label,who", *rows]))
    file = str(tmp_path / "grouped.csv")
    called(capsys, "fit", file, "--out", str(tmp_path / "m"), "--seed", "2", "--group-column", "who", *PROBE)
    part = api.part_to_measure(api.load(tmp_path / "m"), file)
    assert texts(part.split) == texts(api.open_task(file, seed=2, group_column="who").splits["test"])
    plain = write_table(tmp_path / "plain.csv", sentences(10, first=100))
    assert len(api.part_to_measure(api.load(tmp_path / "m"), plain).split) == 20


def test_data_of_a_fit_without_groups_are_known_where_groups_are_named_later(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "grouped.csv"
    rows = [f"{text},{label},{number // 4}" for number, (text, label) in enumerate(sentences(40))]
    file.write_text("\n".join(["text,label,who", *rows]))
    called(capsys, "fit", str(file), "--out", str(tmp_path / "m"), "--seed", "2", *PROBE)
    part = api.part_to_measure(api.load(tmp_path / "m"), file, Columns(group="who"))
    assert part.name == "test"
    assert texts(part.split) == texts(api.open_task(file, seed=2).splits["test"])


def test_pictures_are_known_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rng = np.random.default_rng(0)
    for number in range(40):
        place = tmp_path / "shades" / ("bright", "dark")[number % 2]
        place.mkdir(parents=True, exist_ok=True)
        values = rng.integers(0, 255, (8, 8, 3), dtype=np.uint8) // (1 + number % 2)
        Image.fromarray(values).resize((64, 64)).save(place / f"{number:03}.png")
    data, out = str(tmp_path / "shades"), str(tmp_path / "m")
    called(capsys, "fit", data, "--out", out, "--backbone", SMALL, "--seed", "5", *PROBE)
    shutil.copytree(data, tmp_path / "moved")  # the same pictures elsewhere are still the same
    part = api.part_to_measure(api.load(out), tmp_path / "moved")
    wanted = {one.digest for one in api.open_task(data, seed=5).splits["test"].samples}
    assert {one.digest for one in part.split.samples} == wanted


def test_a_model_that_does_not_know_is_measured_by_the_split_of_its_run(data: str, fitted: str) -> None:
    part = api.part_to_measure(replace(api.load(fitted), learnt=None), data)
    assert texts(part.split) == texts(api.open_task(data, seed=1).splits["test"])


def test_a_model_saved_before_this_was_kept_still_measures(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(model, tmp_path / "old")
    saved = json.loads((tmp_path / "old/model.json").read_text())
    del saved["learnt"]
    (tmp_path / "old/model.json").write_text(json.dumps(saved))
    assert run(["evaluate", str(tmp_path / "old"), INTENTS, "--json"]) == 0
    out, err = capsys.readouterr()
    assert sum(map(sum, json.loads(out)["confusion"]["counts"])) == 96
    assert "saved before models knew what they learnt from" in err
