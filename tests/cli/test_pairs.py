"""A model of pairs takes pairs and nothing else, a model of single texts single texts."""

import json
from pathlib import Path

import pytest

from regraft import api
from regraft.cli.main import run
from regraft.core import DataError, TextSample
from regraft.model import Model
from regraft.tasks import inspect_data

from .conftest import refused

HEADER = "text,text_pair,label"


def pairs(file: Path) -> str:
    rows = [
        f"the {'red' if i % 2 else 'blue'} car {i},a {'red' if i % 4 < 2 else 'blue'} one,{i % 2}" for i in range(40)
    ]
    file.write_text("\n".join([HEADER, *rows]) + "\n")
    return str(file)


@pytest.fixture(scope="module")
def paired(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("paired")
    task = api.open_task(pairs(folder / "data.csv"))
    api.fit(task, "feature-extraction", out=folder / "model", resources=api.Resources(cache_dir=folder / "cache"))
    return folder / "model"


def test_a_saved_model_remembers_that_it_takes_pairs(paired: Path) -> None:
    assert json.loads((paired / "model.json").read_text())["task"]["pairs"] is True
    assert api.load(paired).pairs is True


def test_a_model_of_pairs_refuses_a_single_text(paired: Path, capsys: pytest.CaptureFixture[str]) -> None:
    message = refused(capsys, "predict", str(paired), "a red car")
    assert "a red car" in message
    assert "a tab" in message
    assert run(["predict", str(paired), "a red car\ta red one"]) == 0


def test_a_model_of_pairs_refuses_single_texts_with_labels(
    paired: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "single.csv"
    file.write_text("text,label\n" + "".join(f"car {i},{i % 2}\n" for i in range(20)))
    assert "text_pair" in refused(capsys, "evaluate", str(paired), str(file))


def test_a_model_of_single_texts_refuses_a_pair(tmp_path: Path) -> None:
    file = tmp_path / "single.csv"
    file.write_text("text,label\n" + "".join(f"{('good', 'bad')[i % 2]} car {i},{i % 2}\n" for i in range(20)))
    model: Model = api.fit(api.open_task(file), "feature-extraction")
    with pytest.raises(DataError, match="trained on single ones"):
        model.predict(["good car\tbad car"])
    with pytest.raises(DataError, match="trained on single ones"):
        model.probabilities([TextSample("here", "good car", "bad car")])


def test_rows_without_the_pair_that_others_have_are_left_out(tmp_path: Path) -> None:
    file = tmp_path / "mixed.jsonl"
    rows = [{"text": f"car {i}", "text_pair": f"bus {i}", "label": str(i % 2)} for i in range(20)]
    del rows[7]["text_pair"]
    file.write_text("\n".join(map(json.dumps, rows)))
    (problem,) = [one for one in inspect_data(file).problems if one.severity == "error"]
    assert problem.items == (f"{file}:8",)


def test_the_second_text_may_stand_in_another_column(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = Path(pairs(tmp_path / "data.csv"))
    file.write_text(file.read_text().replace("text,text_pair,", "sentence1,sentence2,", 1))
    options = ("--text-column", "sentence1", "--pair-column")
    assert api.open_task(file, text_column="sentence1", pair_column="sentence2").paired
    assert run(["inspect", str(file), *options, "sentence2"]) == 0
    capsys.readouterr()
    assert "--pair-column" in refused(capsys, "inspect", str(file), *options, "sentence3")
