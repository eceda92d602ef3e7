"""Tagged words and questions on passages: every form that they come in, and every fault named."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet
import pytest

from regraft.core import Answers, DataError, TextSample
from regraft.tasks import few_shot, inspect_data, open_task

SENTENCES = [
    ([f"Meet{i}", "Ann", "Lee", "in", "Oslo", "."], ["O", "B-PER", "I-PER", "O", "B-LOC", "O"]) for i in range(20)
]
PASSAGE = "Ada Lovelace wrote notes on the Analytical Engine in 1843."


def conll(
    folder: Path, sentences: list[tuple[list[str], list[str]]], name: str = "data.conll", gap: str = "\t"
) -> Path:
    blocks = ["\n".join(f"{word}{gap}{tag}" for word, tag in zip(*one, strict=True)) for one in sentences]
    (folder / name).write_text("-DOCSTART- O\n\n" + "\n\n".join(blocks) + "\n")
    return folder / name


def squad(folder: Path, questions: list[dict[str, Any]], name: str = "data.json") -> Path:
    paragraphs = [{"context": f"{i}. {PASSAGE}", "qas": [one]} for i, one in enumerate(questions)]
    (folder / name).write_text(json.dumps({"version": "v2.0", "data": [{"title": "t", "paragraphs": paragraphs}]}))
    return folder / name


def question(number: int, text: str = "1843", shift: int = 0, **more: Any) -> dict[str, Any]:
    start = f"{number}. {PASSAGE}".find(text) + shift
    return {
        "id": f"q{number}",
        "question": f"When was {number}?",
        "answers": [{"text": text, "answer_start": start}],
        **more,
    }


def problems(data: Path) -> dict[str, tuple[str, ...]]:
    return {one.code: one.items for one in inspect_data(data).problems}


@pytest.mark.parametrize("form", ["conll", "iob", "jsonl", "parquet"])
def test_tagged_words_in_every_form(form: str, tmp_path: Path) -> None:
    file = tmp_path / f"data.{form}"
    rows = [{"tokens": words, "tags": tags} for words, tags in SENTENCES]
    if form == "jsonl":
        file.write_text("\n".join(map(json.dumps, rows)))
    elif form == "parquet":
        pyarrow.parquet.write_table(pa.Table.from_pylist(rows), file)
    else:
        conll(tmp_path, SENTENCES, file.name, gap=" ")
    task = open_task(file)
    assert (task.kind, task.metric) == ("token-classification", "entity_f1")
    assert task.classes == ("O", "B-LOC", "B-PER", "I-PER")
    sample = task.train.samples[0]
    assert isinstance(sample, TextSample)
    assert sample.words[1:3] == ("Ann", "Lee")
    assert task.train.targets[0] == (0, 2, 3, 0, 1, 0)
    assert len(few_shot(task, 3, 0).train) == 3


def test_tags_without_entities_are_measured_by_accuracy(tmp_path: Path) -> None:
    task = open_task(conll(tmp_path, [([f"go{i}", "home"], ["VERB", "NOUN"]) for i in range(9)]))
    assert task.metric == "accuracy"


def test_tags_of_unequal_length_are_named(tmp_path: Path) -> None:
    rows = [{"tokens": words, "tags": tags} for words, tags in SENTENCES] + [{"tokens": ["a", "b"], "tags": ["O"]}]
    file = tmp_path / "data.jsonl"
    file.write_text("\n".join(map(json.dumps, rows)))
    assert problems(file)["unequal-lengths"] == (f"{file}:21 (2 tokens, 1 tags)",)


def test_a_line_without_a_tag_is_named(tmp_path: Path) -> None:
    file = conll(tmp_path, SENTENCES)
    with file.open("a") as more:
        more.write("\nlonely\n")
    assert len(problems(file)["malformed-row"]) == 1


def test_a_tag_only_in_test_is_named(tmp_path: Path) -> None:
    conll(tmp_path, SENTENCES, "train.conll")
    conll(tmp_path, [(["Acme", "sells"], ["B-ORG", "O"]), (["Ann", "pays"], ["B-PER", "O"])], "test.conll")
    (item,) = problems(tmp_path)["label-only-in-test"]
    assert "B-ORG" in item


@pytest.mark.parametrize("seed", [14, 25, 26])  # which would hold it out
def test_a_tag_of_a_single_sentence_is_learnt(seed: int, tmp_path: Path) -> None:
    conll(tmp_path, [*SENTENCES, (["Rarely", "Zed"], ["O", "B-RARE"])], "train.conll")
    conll(tmp_path, [([f"Seldom{i}", "Zed"], ["O", "B-RARE" if i % 2 else "B-PER"]) for i in range(10)], "test.conll")
    task = open_task(tmp_path, seed=seed)
    assert "B-RARE" in {task.classes[tag] for tags in task.train.targets for tag in tags}
    assert len(task.splits["test"]) == 10


def test_questions_of_both_versions(tmp_path: Path) -> None:
    first = open_task(squad(tmp_path, [question(i) for i in range(12)]))
    assert (first.kind, first.metric, first.classes) == ("question-answering", "f1", ("answer",))
    assert isinstance(first.train.targets[0], Answers)
    impossible = [question(i) | {"answers": [], "is_impossible": True} for i in range(12, 24)]
    second = open_task(squad(tmp_path, [*(question(i) for i in range(12)), *impossible], "two.json"))
    assert second.classes == ("answer", "no answer")


def test_a_table_of_questions_is_the_same_task(tmp_path: Path) -> None:
    rows = [
        {
            "question": f"When {i}?",
            "context": f"{i}. {PASSAGE}",
            "answers": {"text": ["1843"], "answer_start": [f"{i}. {PASSAGE}".find("1843")]},
        }
        for i in range(9)
    ]
    (tmp_path / "data.jsonl").write_text("\n".join(map(json.dumps, rows)))
    assert open_task(tmp_path / "data.jsonl").kind == "question-answering"


def test_an_offset_is_repaired_where_the_text_occurs_once(tmp_path: Path) -> None:
    file = squad(tmp_path, [question(i, shift=2 * (i == 3)) for i in range(9)])
    found = inspect_data(file)
    assert {one.code: one.items for one in found.problems}["offset-repaired"] == (f"{file}:q3",)
    assert found.task is not None
    for split in found.task.splits.values():
        for sample, target in zip(split.samples, split.targets, strict=True):
            assert isinstance(sample, TextSample)
            ((start, text),) = target.spans
            assert (sample.text_pair or "")[start:].startswith(text)


@pytest.mark.parametrize(
    ("wrong", "code", "named"),
    [
        ({"answers": [{"text": "Grace", "answer_start": 999}]}, "answer-not-there", "outside of the passage"),
        ({"answers": [{"text": "Grace", "answer_start": 3}]}, "answer-not-there", "other words"),
        ({"answers": []}, "missing-answer", "q0"),
        ({"answers": [{"text": "1843"}]}, "missing-answer", "q0"),
        ({"answers": 5}, "missing-answer", "q0"),
        ({"answers": "1843"}, "missing-answer", "q0"),
        ({"answers": [{"text": "1843", "answer_start": "10"}]}, "missing-answer", "q0"),
        ({"question": " "}, "empty-text", "q0"),
    ],
)
def test_faults_of_questions_are_named(wrong: dict[str, Any], code: str, named: str, tmp_path: Path) -> None:
    file = squad(tmp_path, [question(0) | wrong, *(question(i) for i in range(1, 9))])
    (item,) = problems(file)[code]
    assert named in item


@pytest.mark.parametrize("answers", [{"text": 5, "answer_start": 3}, {"text": ["1843", "x"], "answer_start": [3]}])
def test_rows_whose_answers_do_not_pair_are_named(answers: dict[str, Any], tmp_path: Path) -> None:
    rows = [
        {"question": f"When {i}?", "context": f"{i}. {PASSAGE}", "answers": {"text": [], "answer_start": []}}
        for i in range(9)
    ]
    file = tmp_path / "data.jsonl"
    file.write_text("\n".join(map(json.dumps, [*rows, {**rows[0], "answers": answers}])))
    assert problems(file)["unequal-lengths"] == (f"{file}:10",)


def test_a_quantity_that_is_no_number_is_named(tmp_path: Path) -> None:
    file = tmp_path / "data.csv"
    rows = [f"text {i},{i / 7:.3f}" for i in range(30)]
    file.write_text("\n".join(["text,label", *rows, "word,high", "none,nan"]))
    assert open_task(file).kind == "text-regression"
    assert problems(file)["not-a-quantity"] == (f"{file}:32 ('high')", f"{file}:33 ('nan')")


def test_an_empty_file_says_what_its_kind_should_hold(tmp_path: Path) -> None:
    (tmp_path / "data.conll").write_text("\n")
    with pytest.raises(DataError, match="give a token and its tag on each line"):
        open_task(tmp_path / "data.conll")


@pytest.mark.parametrize("text", ["{", "[1]", '{"data": 3}', '{"data": [{"paragraphs": [{"qas": [1]}]}]}'])
def test_json_that_is_not_squad_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "data.json").write_text(text)
    with pytest.raises(DataError, match=r"data\.json.*expected SQuAD"):
        open_task(tmp_path / "data.json")


def test_splits_of_different_kinds_are_refused(tmp_path: Path) -> None:
    conll(tmp_path, SENTENCES, "train.conll")
    squad(tmp_path, [question(1)], "test.json")
    with pytest.raises(DataError, match="files of different kinds"):
        open_task(tmp_path)


def test_questions_on_one_passage_stay_in_one_split(tmp_path: Path) -> None:
    paragraphs = [
        {
            "context": f"{p}. {PASSAGE}",
            "qas": [question(p) | {"id": f"{p}-{q}", "question": f"What {q} of {p}?"} for q in range(4)],
        }
        for p in range(12)
    ]
    (tmp_path / "data.json").write_text(json.dumps({"data": [{"paragraphs": paragraphs}]}))
    task = open_task(tmp_path / "data.json")
    passages = [
        {one.text_pair for one in split.samples if isinstance(one, TextSample)} for split in task.splits.values()
    ]
    assert len(passages) == 3
    assert len(set.union(*passages)) == sum(map(len, passages))


def tagged(folder: Path, rows: list[dict[str, Any]], name: str = "data.jsonl") -> Path:
    (folder / name).write_text("\n".join(map(json.dumps, rows)))
    return folder / name


def test_columns_of_tagged_tables_are_chosen(tmp_path: Path) -> None:
    rows = [
        {
            "tokens": words,
            "pos_tags": ["X", *"Y" * (len(words) - 1)],
            "ner_tags": tags,
            "cut": [*words, "."],
            "cut_tags": [*tags, "Z"],
        }
        for words, tags in SENTENCES
    ]
    file = tagged(tmp_path, rows)
    assert open_task(file).classes == ("O", "B-LOC", "B-PER", "I-PER")
    assert open_task(file, label_column="pos_tags").classes == ("X", "Y")
    assert "Z" in open_task(file, text_column="cut", label_column="cut_tags").classes
    for option, column in (("text_column", "bar"), ("label_column", "foo")):
        with pytest.raises(DataError, match=f"no column '{column}'; it has tokens, .*choose with --{option[:4]}"):
            open_task(file, **{option: column})
    with pytest.raises(DataError, match="--pair-column second.*tagged words"):
        open_task(file, pair_column="second")


def test_tags_are_read_where_no_label_is(tmp_path: Path) -> None:
    rows = [{"text": " ".join(words), "tokens": words, "ner_tags": tags} for words, tags in SENTENCES]
    assert open_task(tagged(tmp_path, rows)).kind == "token-classification"
    labelled = tagged(tmp_path, [row | {"label": "ab"[i % 2]} for i, row in enumerate(rows)], "labelled.jsonl")
    assert open_task(labelled).classes == ("a", "b")
    assert open_task(labelled, kind="token-classification").classes == ("O", "B-LOC", "B-PER", "I-PER")
    listed = tagged(tmp_path, [{"tokens": words, "label": tags} for words, tags in SENTENCES], "listed.jsonl")
    assert open_task(listed).kind == "token-classification"
    single = tagged(tmp_path, [{"tokens": words, "label": "a"} for words, _ in SENTENCES], "single.jsonl")
    with pytest.raises(DataError, match="no column 'text'; it has tokens, label.*for tagged words give 'tags'"):
        open_task(single)


@pytest.mark.parametrize("option", ["text_column", "label_column", "pair_column"])
def test_columns_of_files_without_columns_are_refused(option: str, tmp_path: Path) -> None:
    row = {"question": "When?", "context": "In 1843.", "answers": {"text": ["1843"], "answer_start": [3]}}
    for file in (
        conll(tmp_path, SENTENCES),
        squad(tmp_path, [question(i) for i in range(9)]),
        tagged(tmp_path, [row], "asked.jsonl"),
    ):
        with pytest.raises(DataError, match=f"--{option.replace('_', '-')} foo|no column 'foo'"):
            open_task(file, **{option: "foo"})


@pytest.mark.parametrize("gap", ["\t", " "])
@pytest.mark.parametrize("mark", ["\u2028", "\u0085", "\x0c", "\xa0"])
def test_a_token_may_hold_a_line_separator(mark: str, gap: str, tmp_path: Path) -> None:
    words = [f"Meet{mark}Ann", "."]
    file = conll(tmp_path, [*SENTENCES, (words, ["B-PER", "O"])], gap=gap)
    file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    task = open_task(file)
    assert tuple(words) in {one.words for part in task.splits.values() for one in part.samples}  # type: ignore[union-attr]
    assert problems(file) == {}


def test_numbers_without_names_are_noted(tmp_path: Path) -> None:
    rows = [{"tokens": words, "tags": [int(tag != "O") for tag in tags]} for words, tags in SENTENCES]
    file = tagged(tmp_path, rows)
    found = {one.code: one for one in inspect_data(file).problems}["numbered-tags"]
    assert (found.severity, len(found.items)) == ("note", 20)
    assert "ClassLabel" in found.message


def test_names_of_numbers_are_read_from_the_schema(tmp_path: Path) -> None:
    names = ["O", "B-PER", "I-PER", "B-LOC"]
    rows = [{"tokens": words, "ner_tags": [names.index(tag) for tag in tags]} for words, tags in SENTENCES]
    rows.append({"tokens": ["Not", "known"], "ner_tags": [0, -1]})
    label = {"feature": {"names": names, "_type": "ClassLabel"}, "_type": "Sequence"}
    info = json.dumps({"info": {"features": {"tokens": {}, "ner_tags": label}}})
    table = pa.Table.from_pylist(rows).replace_schema_metadata({"huggingface": info})
    pyarrow.parquet.write_table(table, tmp_path / "data.parquet")
    task = open_task(tmp_path / "data.parquet")
    assert (task.classes, task.metric) == (("O", "B-LOC", "B-PER", "I-PER"), "entity_f1")
    assert problems(tmp_path / "data.parquet")["empty-token"] == (f"{tmp_path / 'data.parquet'}:21",)
