"""Tagged words and answers: windows, alignment, padding, and a model that learns, saves and loads."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoConfig, AutoModel

from regraft import api
from regraft.backbones import load_backbone
from regraft.backbones.contract import Backbone
from regraft.backbones.saving import load_saved_backbone, save_backbone
from regraft.backbones.transformers_source import build_text
from regraft.core import Answers, Passport, Split, Task, TextSample
from regraft.heads import build_head
from regraft.predicting import Fitted, predicted
from regraft.predicting.network import token_outputs
from regraft.pretraining.tokenizing import trained_byte_pairs
from regraft.running.units import as_units, first_tokens, token_offsets, units_of

PASSAGE = " ".join(f"Visitor {i} came from town{i} in the year {1000 + i}." for i in range(60))
LONG = TextSample("q", "Who came in 1042?", PASSAGE)


def tagged(words: list[str]) -> TextSample:
    return TextSample("t", " ".join(words), words=tuple(words))


@pytest.fixture(scope="module")
def minilm() -> Backbone:
    return load_backbone("bundled:minilm")


@pytest.fixture(scope="module", params=["bundled:minilm", "byte-level"])
def backbone(request: pytest.FixtureRequest, minilm: Backbone) -> Backbone:
    return minilm if request.param == "bundled:minilm" else byte_level()


def byte_level() -> Backbone:
    """GPT-2 with random weights and a tokenizer of byte pairs, which adds no special token."""
    tokenizer = trained_byte_pairs((PASSAGE, "one two three where is it it is here"), 300)
    config = AutoConfig.for_model(
        "gpt2", vocab_size=len(tokenizer), n_embd=32, n_layer=2, n_head=4, bos_token_id=0, eos_token_id=0
    )
    return build_text(AutoModel.from_config(config), tokenizer, Passport("gpt2", "scratch:gpt2"))


def test_a_long_passage_is_read_in_windows_that_miss_nothing(minilm: Backbone) -> None:
    units = units_of("question-answering", minilm, [LONG])
    assert len(units) > 2
    covered: set[int] = set()
    for unit in units:
        assert isinstance(unit.sample, TextSample)
        window = unit.sample.text_pair or ""
        assert PASSAGE[unit.start : unit.start + len(window)] == window
        assert minilm.preprocess(unit.sample).shape[1] <= 256
        covered |= set(range(unit.start, unit.start + len(window)))
    assert all(i in covered for i, letter in enumerate(PASSAGE) if letter.strip())


def test_the_target_of_a_window_points_at_the_answer(minilm: Backbone) -> None:
    start = PASSAGE.index("town42")
    split = Split((LONG,), (Answers(((start, "town42"),)),))
    task = Task("t", "question-answering", ("answer",), {"train": split, "validation": split})
    units = units_of("question-answering", minilm, [LONG])
    holding = 0
    for unit, (first, last) in zip(units, as_units(task, minilm).train.targets, strict=True):
        if (first, last) == (0, 0):
            continue
        offsets = token_offsets(minilm, unit.sample)
        assert PASSAGE[unit.start + offsets[first][1] : unit.start + offsets[last][2]] == "town42"
        holding += 1
    assert holding >= 1


def test_a_long_sentence_keeps_a_tag_for_every_word(minilm: Backbone) -> None:
    sentence = tagged([f"word{i}" for i in range(400)])
    units = units_of("token-classification", minilm, [sentence])
    assert len(units) > 1
    assert sum(len(unit.sample.words) for unit in units if isinstance(unit.sample, TextSample)) == 400
    assert all(minilm.preprocess(unit.sample).shape[1] <= 256 for unit in units)
    fitted = Fitted(
        "token-classification", ("O", "B-X"), minilm, build_head("token", 384, 2, 0, task="token-classification"), "cpu"
    )
    (answer,) = predicted(fitted, [sentence])
    assert len(answer.tags) == 400  # type: ignore[union-attr]


def test_the_first_token_of_every_word_is_found(minilm: Backbone) -> None:
    sentence = tagged(["Unbelievably", ",", "Zürich's", "trams", "run"])
    tokenizer = minilm.preprocess.tokenizer  # type: ignore[attr-defined]
    expected = tokenizer(list(sentence.words), is_split_into_words=True).word_ids()
    firsts = first_tokens(minilm, sentence)
    assert firsts == [expected.index(word) for word in range(5)]


def test_padding_changes_no_output(minilm: Backbone) -> None:
    samples = [tagged(["short", "one"]), tagged([f"w{i}" for i in range(50)]), TextSample("e", "x", words=("x",))]
    fitted = Fitted(
        "token-classification", ("O", "B-X"), minilm, build_head("token", 384, 2, 0, task="token-classification"), "cpu"
    )
    together = [outputs for _, outputs in token_outputs(fitted, samples)]
    alone = [next(token_outputs(fitted, [sample]))[1] for sample in samples]
    for first, second in zip(together, alone, strict=True):
        assert first.shape == second.shape
        torch.testing.assert_close(first, second, atol=2e-3, rtol=0)


@pytest.fixture(scope="module")
def colours(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sentences whose colours are entities: easy, and learnable only word by word."""
    rng = np.random.default_rng(0)
    folder = tmp_path_factory.mktemp("colours")
    names, things, verbs = (
        ["red", "green", "blue", "dark grey"],
        ["house", "car", "dress", "tree"],
        ["saw", "bought", "lost"],
    )
    lines = []
    for _ in range(120):
        colour = names[rng.integers(4)].split()
        words = ["We", verbs[rng.integers(3)], "the", *colour, things[rng.integers(4)], str(rng.integers(1000)), "."]
        tags = ["O", "O", "O", "B-COLOUR", *["I-COLOUR"] * (len(colour) - 1), "O", "O", "O"]
        lines += [f"{word}\t{tag}" for word, tag in zip(words, tags, strict=True)] + [""]
    (folder / "data.conll").write_text("\n".join(lines))
    return folder / "data.conll"


@pytest.mark.parametrize(
    ("strategy", "rate", "epochs"), [("feature-extraction", 3e-2, 12), ("full-fine-tuning", 1e-3, 6)]
)
def test_entities_are_learnt_saved_and_found_again(
    strategy: str, rate: float, epochs: int, colours: Path, tmp_path: Path
) -> None:
    task = api.open_task(colours)
    model = api.fit(task, strategy, settings=api.Settings(epochs=epochs, learning_rate=rate), out=tmp_path / "model")
    assert model.results["test"]["entity_f1"] > 0.95
    sample = tagged(["They", "lost", "the", "dark", "grey", "boat", "."])
    (answer,) = api.load(tmp_path / "model").predict([sample])
    assert answer == model.predict([sample])[0]
    (entity,) = answer.entities  # type: ignore[union-attr]
    assert (entity.text, entity.label, sample.text[entity.start : entity.end]) == ("dark grey", "COLOUR", "dark grey")
    written = " They  lost the dark  grey boat ."
    (spaced,) = model.predict([written])
    (entity,) = spaced.entities  # type: ignore[union-attr]
    assert (entity.text, written[entity.start : entity.end]) == ("dark grey", "dark  grey")


@pytest.mark.parametrize("empty", [False, True])
def test_answers_are_learnt_saved_and_found_again(empty: bool, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    qas = []
    for number in range(160):
        town, year = f"Town{rng.integers(900)}", str(rng.integers(1000, 2000))
        context = f"The mill of {town} was built in {year} by the river."
        if empty and number % 2:
            qas.append(
                (context, {"id": str(number), "question": "Who was the queen?", "answers": [], "is_impossible": True})
            )
        else:
            qas.append(
                (
                    context,
                    {
                        "id": str(number),
                        "question": "When was it built?",
                        "answers": [{"text": year, "answer_start": context.index(year)}],
                    },
                )
            )
    paragraphs = [{"context": context, "qas": [qa]} for context, qa in qas]
    (tmp_path / "data.json").write_text(json.dumps({"data": [{"paragraphs": paragraphs}]}))
    task = api.open_task(tmp_path / "data.json")
    model = api.fit(
        task, "full-fine-tuning", settings=api.Settings(epochs=8, learning_rate=3e-4), out=tmp_path / "model"
    )
    assert model.results["test"]["exact_match"] > 0.8
    question = TextSample("q", "When was it built?", "The mill of Town5 was built in 1234 by the river.")
    (answer,) = api.load(tmp_path / "model").predict([question])
    assert (answer.answer, answer.start) == ("1234", 31)  # type: ignore[union-attr]
    if empty:
        (nothing,) = model.predict([replace(question, text="Who was the queen?")])
        assert (nothing.answer, nothing.start) == ("", -1)  # type: ignore[union-attr]


def test_a_byte_level_tokenizer_aligns_words_too(backbone: Backbone) -> None:
    sentence = tagged(["one", "two", "three"])
    firsts = first_tokens(backbone, sentence)
    offsets = token_offsets(backbone, sentence)
    assert firsts == sorted(firsts)
    assert min(firsts) >= 0
    assert [sentence.text[offsets[i][1] : offsets[i][2]].strip()[:1] for i in firsts] == ["o", "t", "t"]


def test_a_pair_has_something_between_its_texts(tmp_path: Path) -> None:
    """A tokenizer of byte pairs alone would run the last word of one into the first of the other."""
    trunk = byte_level()
    tokenizer = trunk.preprocess.tokenizer  # type: ignore[attr-defined]
    pair, other = TextSample("p", "where is it", "it is here"), TextSample("p", "where is iti", "t is here")
    first, second = (trunk.preprocess(one)[0].tolist() for one in (pair, other))
    assert first != second
    assert first.count(tokenizer.eos_token_id) == 1
    parts = [part for part, _, _ in token_offsets(trunk, pair)]
    between = parts.index(-1)
    assert set(parts[:between]) == {0}
    assert set(parts[between + 1 :]) == {1}
    assert tokenizer.eos_token_id not in trunk.preprocess(TextSample("s", "where is it"))[0].tolist()
    # A long passage is still cut into windows that miss nothing.
    for unit in units_of("question-answering", trunk, [LONG]):
        assert isinstance(unit.sample, TextSample)
        window = unit.sample.text_pair or ""
        assert PASSAGE[unit.start : unit.start + len(window)] == window
        assert trunk.preprocess(unit.sample).shape[1] <= 256
    save_backbone(trunk, tmp_path / "kept")
    again = load_saved_backbone(tmp_path / "kept")
    assert again.preprocess(pair)[0].tolist() == first
    assert again.preprocess.fingerprint == trunk.preprocess.fingerprint


def test_quantities_of_pairs_are_learnt(tmp_path: Path) -> None:
    words = ["cat", "dog", "house", "river", "music", "bread", "king", "stone"]
    rng = np.random.default_rng(0)
    rows = ["text,text_pair,label"]
    for _ in range(200):
        first, second = rng.choice(words, 3), rng.choice(words, 3)
        shared = len(set(first) & set(second)) + rng.uniform(0, 0.2)
        rows.append(f"{' '.join(first)} {rng.integers(1000)},{' '.join(second)},{shared:.4f}")
    (tmp_path / "data.csv").write_text("\n".join(rows))
    task = api.open_task(tmp_path / "data.csv")
    model = api.fit(task, "feature-extraction", out=tmp_path / "model")
    assert model.head.reads == "pairs"
    assert model.results["test"]["pearson"] > 0.6
    again = api.load(tmp_path / "model")
    sample = task.train.samples[0]
    assert again.predict([sample]) == model.predict([sample])
