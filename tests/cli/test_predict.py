"""Predictions as a table, as JSON and as a file."""

import csv
import io
import json
import sys
from pathlib import Path

import pytest

from regraft.core import OptionError
from regraft.predicting.answers import Predicted, Prediction, Quantity
from regraft.predicting.tags import Entity, Tagged
from regraft.predicting.writing import check_file, write_predictions

from .conftest import called, refused, shown

TEXTS = ('where is my parcel, "now"', "thank you")


def test_the_most_probable_classes_come_best_first(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    whole = called(capsys, "predict", str(model), *TEXTS)["predictions"]
    few = called(capsys, "predict", str(model), *TEXTS, "--top-k", "3")["predictions"]
    for one, other in zip(whole, few, strict=True):
        best = sorted(one["scores"].items(), key=lambda pair: -pair[1])[:3]
        assert list(other["scores"].items()) == best
        assert (other["label"], other["score"]) == best[0]
    out = shown(capsys, "predict", str(model), "thank you", "--top-k", "3")
    assert len(out.strip().splitlines()) == 4
    assert len(called(capsys, "predict", str(model), "thank you", "--top-k", "999")["predictions"][0]["scores"]) > 3


def test_a_table_of_predictions_is_written(model: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "said.csv"
    found = called(capsys, "predict", str(model), *TEXTS, "--out", str(file), "--top-k", "2")
    assert found["out"] == str(file)
    rows = list(csv.DictReader(file.open(newline="")))
    assert list(rows[0]) == ["input", "label", "score", "label_2", "score_2"]
    for row, one in zip(rows, found["predictions"], strict=True):
        assert (row["input"], row["label"], float(row["score"])) == (one["input"], one["label"], one["score"])
    assert list(tmp_path.iterdir()) == [file]


def test_lines_of_predictions_are_written(model: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "said.jsonl"
    found = called(capsys, "predict", str(model), *TEXTS, "--out", str(file))["predictions"]
    assert [json.loads(line) for line in file.read_text().splitlines()] == found


@pytest.mark.parametrize("name", ["said.txt", "there.csv", "no/folder/said.csv"])
def test_a_file_that_cannot_be_written_is_refused_at_once(
    name: str, model: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "there.csv").write_text("mine")
    assert "--out" in refused(capsys, "predict", str(model), "thank you", "--out", str(tmp_path / name))
    assert (tmp_path / "there.csv").read_text() == "mine"
    with pytest.raises(OptionError):
        check_file(tmp_path / name)


def test_other_kinds_are_written_too(tmp_path: Path) -> None:
    entity = Entity("Bern", "PLACE", 3, 7, 0.9)
    kinds: list[list[Predicted]] = [
        [Quantity("a", 1.5)],
        [Tagged("a", ("in", "Bern"), ("O", "B-PLACE"), 0.9, (entity,))],
        [Prediction("a", "x", 0.75, {"x": 0.75, "y": 0.25})],
    ]
    for number, predictions in enumerate(kinds):
        write_predictions(tmp_path / f"{number}.csv", predictions)
    assert (tmp_path / "0.csv").read_text() == "input,value\na,1.5\n"
    (row,) = csv.DictReader((tmp_path / "1.csv").open(newline=""))
    assert json.loads(row["entities"])[0]["label"] == "PLACE"
    assert (tmp_path / "2.csv").read_text() == "input,label,score\na,x,0.75\n"


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "utf-16"])
def test_standard_input_may_be_in_any_encoding(
    encoding: str, model: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = "a café near me\r\nthank you\n".encode(encoding)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(lines), encoding="utf-8"))
    found = called(capsys, "predict", str(model), "-")["predictions"]
    assert [one["label"] for one in found] == [
        one["label"] for one in called(capsys, "predict", str(model), "a café near me", "thank you")["predictions"]
    ]


def test_an_argument_that_is_not_unicode_is_predicted_on(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (one,) = called(capsys, "predict", str(model), "a caf\udce9 near me \ud83d")["predictions"]
    assert one["input"] == "a café near me \ufffd"
