"""Tagged words, questions, quantities and pairs on the command line: fit, evaluate, predict, and what is refused."""

import json
from pathlib import Path

import numpy as np
import pytest

from .conftest import PROBE, called, refused

PASSAGE = "The mill of {town} was built in {year} by the river."


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("data")
    rng = np.random.default_rng(0)
    words, lines, paragraphs, rows = ["red", "green", "blue"], [], [], ["text,text_pair,label"]
    for number in range(60):
        colour = words[rng.integers(3)]
        lines += [f"We\tO\nsaw\tO\n{colour}\tB-COLOUR\nhouse{number}\tO\n"]
        context = PASSAGE.format(town=f"Town{number}", year=1000 + number)
        answer = {"text": str(1000 + number), "answer_start": context.index(str(1000 + number))}
        qas = [{"id": str(number), "question": "When was it built?", "answers": [answer]}]
        paragraphs.append({"context": context, "qas": qas})
        rows.append(f"the {colour} one {number},a {words[rng.integers(3)]} thing {number},{number / 7:.4f}")
    (folder / "tags.conll").write_text("\n".join(lines))
    (folder / "squad.json").write_text(json.dumps({"data": [{"paragraphs": paragraphs}]}))
    (folder / "pairs.csv").write_text("\n".join(rows))
    return {"tags": str(folder / "tags.conll"), "squad": str(folder / "squad.json"), "pairs": str(folder / "pairs.csv")}


def fitted(capsys: pytest.CaptureFixture[str], data: str, out: Path, *options: str) -> str:
    found = called(capsys, "fit", data, "--out", str(out), *PROBE, *options)
    assert set(found["metrics"]) == {"validation", "test"}
    return str(out)


def test_tagged_words(data: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = fitted(capsys, data["tags"], tmp_path / "m", "--epochs", "20", "--lr", "0.03")
    found = called(capsys, "evaluate", model, data["tags"])
    assert {"entity_f1", "entity_precision", "entity_recall", "accuracy"} == set(found["metrics"])
    assert found["confusion"]["classes"] == ["O", "B-COLOUR"]
    (answer,) = called(capsys, "predict", model, "We saw blue house5")["predictions"]
    assert [entity["text"] for entity in answer["entities"]] == ["blue"]


def test_questions(data: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = fitted(capsys, data["squad"], tmp_path / "m", "--epochs", "2")
    assert {"exact_match", "f1"} == set(called(capsys, "evaluate", model, data["squad"])["metrics"])
    passage = PASSAGE.format(town="Oz", year=1234)
    (answer,) = called(capsys, "predict", model, f"When was it built?\t{passage}")["predictions"]
    assert answer["answer"] == passage[answer["start"] : answer["end"]]
    assert "QUESTION, a tab, PASSAGE" in refused(capsys, "predict", model, "When?")


def test_quantities(data: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = fitted(capsys, data["pairs"], tmp_path / "m")
    assert "pearson" in called(capsys, "evaluate", model, data["pairs"])["metrics"]
    (answer,) = called(capsys, "predict", model, "the red one\ta blue thing")["predictions"]
    assert set(answer) == {"input", "value"}
    assert "made for text-regression" in refused(
        capsys, "evaluate", model, data["pairs"], "--kind", "text-classification"
    )
    few = tmp_path / "few.csv"  # whole numbers alone are quantities to a model of quantities
    few.write_text("text,text_pair,label\nthe red one,a red thing,3\nthe blue one,a red thing,1\nit,that,2\n")
    assert "pearson" in called(capsys, "evaluate", model, str(few))["metrics"]


@pytest.mark.parametrize(
    ("kind", "options", "named"),
    [
        ("tags", ("--head", "linear"), ("--head linear", "token-classification", "use token")),
        ("squad", ("--head", "logistic"), ("--head logistic", "question-answering", "use span")),
        ("pairs", ("--head", "logistic"), ("--head logistic", "text-regression", "use ridge")),
        ("pairs", ("--head", "ridge", "--strategy", "full-fine-tuning"), ("--head ridge", "solved", "linear")),
        ("tags", ("--backbone", "scratch:test_resnet"), ("reads pictures",)),
    ],
)
def test_heads_that_do_not_fit_are_refused(
    kind: str,
    options: tuple[str, ...],
    named: tuple[str, ...],
    data: dict[str, str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    message = refused(capsys, "fit", data[kind], "--out", str(tmp_path / "m"), *options)
    assert all(word in message for word in named), message
    assert not (tmp_path / "m").exists()


def test_a_model_of_another_kind_is_refused(
    data: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = fitted(capsys, data["pairs"], tmp_path / "m")
    assert "the model was made for text-regression" in refused(capsys, "evaluate", model, data["squad"])
