"""Masked and causal language modelling: the same loss as transformers', folders that load, tokenizers that fit."""

import math
import re
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoModelForMaskedLM

from regraft.backbones import load_backbone
from regraft.core import DataError, OptionError, TextSample
from regraft.pretraining import pretrain
from regraft.pretraining.corpus import Blocks, open_corpus
from regraft.pretraining.language import HEADS, LanguageLearner, LanguageObjective
from regraft.pretraining.language_start import fresh_language, started_language
from regraft.pretraining.pretrain import Pretrained
from regraft.pretraining.recipes import Causal, Masked, departing
from regraft.pretraining.tokenizing import trained_byte_pairs, trained_word_pieces

from . import small_runs

TEXTS = ("the red cat sees me.", "no old ship likes it.", "a big tree sees you.") * 20
SMALL = "num_hidden_layers=1,hidden_size=32,num_attention_heads=2,intermediate_size=64"
OWN = {
    "bert": f"bert:{SMALL}",
    "roberta": f"roberta:{SMALL}",
    "electra": f"electra:{SMALL},embedding_size=16",
    "distilbert": "distilbert:n_layers=1,dim=32,n_heads=2,hidden_dim=64",
    "gpt2": "gpt2:n_layer=1,n_embd=32,n_head=2",
}


@pytest.fixture(scope="module", params=["mlm", "clm"])
def trained(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Pretrained:
    """A language model of the small language."""
    folder = tmp_path_factory.mktemp(request.param)
    recipe = departing(small_runs.RECIPES[request.param], epochs=20, learning_rate=1e-3)
    data = small_runs.texts(folder / "data", 240)
    architecture = small_runs.ARCHITECTURES[request.param]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REGRAFT_CACHE", str(folder / "cache"))
        return pretrain(data, request.param, architecture=architecture, recipe=recipe, out=folder / "net", device="cpu")


@pytest.mark.parametrize("family", HEADS)
def test_the_loss_is_that_of_transformers(family: str) -> None:
    objective: Any = "clm" if family == "gpt2" else "mlm"
    tokenizer = (trained_byte_pairs if family == "gpt2" else trained_word_pieces)(TEXTS, 300)
    model = fresh_language(OWN[family], objective, tokenizer, 16, 0).eval()
    ids = torch.randint(5, len(tokenizer), (3, 12))
    wanted = torch.where(torch.rand(3, 12) < 0.4, ids, -100)
    wanted[:, 0] = -100
    # A causal model of transformers shifts the labels itself; ours come shifted.
    ours = torch.cat([wanted[:, 1:], wanted.new_full((3, 1), -100)], dim=1) if family == "gpt2" else wanted
    with torch.inference_mode():
        loss = LanguageLearner(model)(ids, ours) / int((ours >= 0).sum())
        assert torch.allclose(loss, model(input_ids=ids, labels=wanted).loss, atol=1e-5)


@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_dropout_is_the_recipes_while_it_learns_and_the_networks_own_when_saved(dropout: float, tmp_path: Path) -> None:
    tokenizer = trained_byte_pairs(TEXTS, 300)
    model = fresh_language(OWN["gpt2"], "clm", tokenizer, 16, 0)
    blocks = Blocks(torch.arange(64) % len(tokenizer), 16)
    objective = LanguageObjective(model, tokenizer, blocks, blocks, Causal(length=16, dropout=dropout))
    ids, wanted = torch.arange(1, 17)[None], torch.arange(2, 18)[None]
    first, second = (float(objective.learner.train()(ids, wanted).detach()) for _ in range(2))
    assert (first == second) == (dropout == 0)
    objective.write(tmp_path, {})
    assert AutoModelForCausalLM.from_pretrained(tmp_path).config.resid_pdrop == 0.1


def test_about_the_share_asked_for_is_hidden_and_nothing_else_changed() -> None:
    tokenizer = trained_word_pieces(TEXTS, 300)
    stream = torch.randint(5, len(tokenizer), (64 * 30,)).int().numpy()
    objective = LanguageObjective(
        fresh_language(OWN["bert"], "mlm", tokenizer, 32, 0),
        tokenizer,
        Blocks(stream, 30),
        Blocks(stream, 30),
        Masked(),
    )
    draw = objective.draw(list(range(64)), slice(0, 64), torch.Generator().manual_seed(0), 0.0)
    ids, wanted = draw.inputs
    assert 0.13 < float((wanted >= 0).float().mean()) * 32 / 30 < 0.17
    assert draw.terms == int((wanted >= 0).sum())
    plain = torch.from_numpy(stream).view(64, 30)
    assert torch.equal(ids[:, 1:-1][wanted[:, 1:-1] < 0].int(), plain[wanted[:, 1:-1] < 0])
    assert 0.7 < float((ids[wanted >= 0] == tokenizer.mask_token_id).float().mean()) < 0.9


def test_a_language_is_learnt_from_what_stands_around_a_word(trained: Pretrained) -> None:
    words = re.findall(r"\w+|\.", next(Path(trained.call.data).iterdir()).read_text())
    shares = np.array(list(Counter(words).values())) / len(words)
    counting = math.exp(-(shares * np.log(shares)).sum())  # the best that can be said without looking around
    assert trained.last.metrics["perplexity"] < counting / 2


def test_the_folder_is_a_backbone_and_a_language_model(trained: Pretrained) -> None:
    backbone = load_backbone(str(trained.folder), kind="text")
    state = backbone.run(backbone.collate([backbone.preprocess(TextSample("", "the red cat"))]), 0, 3)
    kind = AutoModelForMaskedLM if trained.call.objective == "mlm" else AutoModelForCausalLM
    model, told = kind.from_pretrained(trained.folder, output_loading_info=True)
    assert not told["missing_keys"]
    ids = backbone.preprocess(TextSample("", "the red cat"))[:1]
    with torch.inference_mode():
        assert torch.allclose(model.eval().base_model(input_ids=ids)[0], state[0], atol=1e-5)
    assert backbone.passport.source_data.startswith("data (235 documents")


def test_pretraining_goes_on_with_tokenizer_and_head(trained: Pretrained, tmp_path: Path) -> None:
    objective = trained.call.objective
    recipe = departing(trained.call.recipe, epochs=1, learning_rate=1e-6)
    source = str(trained.folder)
    again = pretrain(trained.call.data, objective, source=source, recipe=recipe, out=tmp_path / "again", device="cpu")
    assert again.last.metrics["perplexity"] == pytest.approx(trained.last.metrics["perplexity"], rel=0.02)


def test_the_embedded_text_trunk_goes_on(tmp_path: Path) -> None:
    data = small_runs.texts(tmp_path / "data", 60)
    recipe = Masked(small_runs.SCHEDULE, length=16)
    pretrain(
        data, "mlm", source="bundled:minilm", recipe=departing(recipe, epochs=0.2), out=tmp_path / "net", device="cpu"
    )
    assert load_backbone(str(tmp_path / "net")).outline.stages[-1].width == 384


@pytest.mark.parametrize("train", [trained_word_pieces, trained_byte_pairs])
def test_a_trained_tokenizer_gives_the_text_back(train: Any) -> None:
    tokenizer = train(TEXTS, 300)
    assert len(tokenizer) <= 300
    assert tokenizer.decode(tokenizer(TEXTS[0])["input_ids"], skip_special_tokens=True) == TEXTS[0]


def test_an_architecture_for_the_other_objective_is_refused() -> None:
    tokenizer = trained_word_pieces(TEXTS, 300)
    with pytest.raises(OptionError, match="not for clm"):
        fresh_language("bert-tiny", "clm", tokenizer, 16, 0)
    with pytest.raises(OptionError, match="unknown"):
        fresh_language("burt", "mlm", tokenizer, 16, 0)
    with pytest.raises(OptionError, match="KEY=NUMBER"):
        fresh_language("bert:hidden_size", "mlm", tokenizer, 16, 0)


def test_a_trunk_without_a_head_begins_one_anew(tmp_path: Path) -> None:
    load_backbone("bundled:minilm").write(tmp_path)
    model = started_language(tmp_path, "mlm")
    assert model.cls.predictions.decoder.weight is model.bert.embeddings.word_embeddings.weight


def test_documents_are_lines_and_some_are_held_out(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("".join(f"text {number}\n\n" for number in range(100)))
    corpus = open_corpus(tmp_path, None)
    assert (len(corpus.train), corpus.held_out) == (98, ("text 0", "text 50"))
    with pytest.raises(DataError, match="no such file"):
        open_corpus(tmp_path / "nothing", None)
    (tmp_path / "a.txt").write_bytes(b"\xff\xfe")
    with pytest.raises(DataError, match="UTF-8"):
        open_corpus(tmp_path, None)
    assert Causal().length == 128


def test_a_single_document_is_refused(tmp_path: Path) -> None:
    (tmp_path / "one.txt").write_text("all of it in one line\n")
    with pytest.raises(DataError, match="one document"):
        open_corpus(tmp_path / "one.txt", None)
