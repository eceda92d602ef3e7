"""What a text trunk forgets of language: perplexity under its original head, as transformers itself computes it."""

import json
import math
from pathlib import Path

import pytest
import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForMaskedLM, AutoTokenizer

from regraft import api, keeping
from regraft.backbones.bundled import bundled_folder
from regraft.backbones.hidden_words import asked
from regraft.backbones.language_heads import language_head
from regraft.cli.main import run
from regraft.core import BackboneError, DataError, Split, Task, TextSample, Train
from regraft.forgetting import forgetting_sentence, language_measure
from regraft.model import Model
from regraft.running.batches import Supply
from regraft.running.replay import build_replay
from regraft.strategies import Settings

SIZES = {
    "bert": {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64},
    "electra": {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64},
    "roberta": {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64},
    "distilbert": {"dim": 32, "n_layers": 2, "n_heads": 4, "hidden_dim": 64},
    "gpt2": {"n_embd": 32, "n_layer": 2, "n_head": 4, "bos_token_id": 0, "eos_token_id": 0},
}
PHRASES = ("the parcel is late", "my card was charged twice", "how do i reset the password", "thank you very much")


def folder_of(kind: str, folder: Path, *, head: bool = True, spread: float = 0.02) -> Path:
    """A small model with random weights, its language-model head and a tokenizer, as `save_pretrained` writes them."""
    words = AutoTokenizer.from_pretrained(bundled_folder("minilm"), local_files_only=True)
    config = AutoConfig.for_model(kind, vocab_size=len(words), initializer_range=spread, **SIZES[kind])
    torch.manual_seed(0)
    model = (AutoModelForCausalLM if kind == "gpt2" else AutoModelForMaskedLM).from_config(config)
    (model if head else model.base_model).save_pretrained(folder)
    words.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return folder_of("bert", tmp_path_factory.mktemp("bert") / "net")


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("source") / "corpus.txt"
    file.write_text("\n".join(f"{one} number {i} again" for i in range(15) for one in PHRASES) + "\n\n")
    return file


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("target") / "data.csv"
    rows = [f"{'good' if i % 2 else 'awful'} thing {i},{'pos' if i % 2 else 'neg'}" for i in range(40)]
    file.write_text("text,label\n" + "\n".join(rows) + "\n")
    return file


@pytest.fixture(scope="module")
def task(table: Path) -> Task:
    return api.open_task(table)


@pytest.fixture(scope="module")
def tuned(bert: Path, task: Task) -> Model:
    return api.fit(task, "full-fine-tuning", backbone=str(bert), settings=Settings(epochs=2, learning_rate=1e-2))


@pytest.mark.parametrize("kind", SIZES)
def test_the_original_head_gives_the_whole_models_logits(kind: str, tmp_path: Path) -> None:
    folder = folder_of(kind, tmp_path / "net")
    trunk = api.load_backbone(str(folder))
    head = language_head(trunk.passport, trunk.preprocess.tokenizer)
    whole = (AutoModelForCausalLM if kind == "gpt2" else AutoModelForMaskedLM).from_pretrained(folder).eval()
    inputs = trunk.collate([trunk.preprocess(TextSample("here", one)) for one in PHRASES])
    ids, mask = inputs[0], inputs[1]
    with torch.inference_mode():
        hidden, _ = trunk.run(inputs, 0, len(trunk.outline))
        wanted = whole(input_ids=ids, attention_mask=mask).logits
    torch.testing.assert_close(head.module(hidden)[mask.bool()], wanted[mask.bool()], atol=1e-4, rtol=1e-4)


def test_perplexity_of_a_causal_model_is_that_of_transformers(tmp_path: Path, source: Path) -> None:
    folder = folder_of("gpt2", tmp_path / "net")
    trunk = api.load_backbone(str(folder))
    head = language_head(trunk.passport, trunk.preprocess.tokenizer)
    documents = keeping.open_source(source, "text-classification").samples[:20]
    measure = language_measure(documents, head)
    whole, nats, tokens = AutoModelForCausalLM.from_pretrained(folder).eval(), 0.0, 0
    for one in documents:
        ids = trunk.preprocess(one)[:1]
        with torch.inference_mode():
            nats += float(whole(input_ids=ids, labels=ids).loss) * (ids.shape[1] - 1)
        tokens += ids.shape[1] - 1
    assert measure.metric == "perplexity"
    assert measure.value(measure.scores(trunk).rate) == pytest.approx(math.exp(nats / tokens), rel=1e-3)


def test_hidden_words_are_a_function_of_the_text_and_never_special(bert: Path, source: Path) -> None:
    trunk = api.load_backbone(str(bert))
    head = language_head(trunk.passport, trunk.preprocess.tokenizer)
    documents = keeping.open_source(source, "text-classification").samples[:8]
    inputs, seeds = [trunk.preprocess(one) for one in documents], [one.digest for one in documents]
    first, second = asked(head, inputs, seeds), asked(head, inputs, seeds)
    for shown, again, wanted, whole in zip(first[0], second[0], first[1], inputs, strict=True):
        assert torch.equal(shown, again)
        hidden = wanted >= 0
        assert 1 <= int(hidden.sum()) <= 2  # 15 % of 6 to 10 words
        assert (shown[0][hidden] == head.mask_token).all()
        assert not set(whole[0][hidden].tolist()) & head.special


def test_a_tuned_trunk_is_measured_under_the_original_head(tuned: Model, source: Path, task: Task) -> None:
    data = keeping.open_source(source, task.kind)
    found = keeping.forgetting_of(tuned, data, task.splits["test"].samples)
    assert found is not None
    assert (found["measured"], found["metric"], found["agreement"]) == ("source", "masked_perplexity", None)
    assert found["lost"] == pytest.approx(found["after"] / found["before"] - 1)
    assert found["low"] <= found["lost"] <= found["high"]
    assert found["lost"] != 0


def test_a_budget_of_perplexity_is_kept(bert: Path, source: Path, task: Task) -> None:
    budget = api.SourceBudget(keeping.open_source(source, task.kind), 0.01)
    settings = Settings(epochs=2, learning_rate=1e-2)
    model = api.fit(task, "full-fine-tuning", backbone=str(bert), settings=settings, budget=budget)
    assert model.forgetting is not None
    assert model.forgetting["held_out"]["lost"] < 0.03
    assert model.forgetting["alpha"] < 1


def test_replayed_documents_join_the_loss(bert: Path, source: Path, task: Task) -> None:
    settings = Settings(epochs=1, penalty="replay")
    budget = api.SourceBudget(keeping.open_source(source, task.kind))
    model = api.fit(task, "full-fine-tuning", backbone=str(bert), settings=settings, budget=budget)
    # A new head's loss is near log 2, and that of random weights on hidden words near log 30522.
    assert model.run.steps[0].loss == pytest.approx(math.log(2) + math.log(30522), abs=0.3)


def test_replayed_documents_teach_the_trunk_its_language(tmp_path: Path, source: Path) -> None:
    trunk = api.load_backbone(str(folder_of("bert", tmp_path / "net", spread=0.2)))
    documents = keeping.open_source(source, "text-classification").samples
    replay = build_replay(
        trunk, Split(documents, (0,) * len(documents)), Supply(trunk, None, "cpu", "fp32", 0, None, []), 1.0
    )
    optimiser = torch.optim.AdamW(trunk.module.parameters(), 1e-2)
    phase = Train(epochs=1, rates=(1.0,) * len(trunk.outline), head_rate=1.0)
    losses = []
    for epoch in range(40):
        replay.begin(
            lambda state, start, *_: trunk.run(state, start, len(trunk.outline)), phase, [list(range(32))], epoch
        )
        optimiser.zero_grad()
        loss = replay.loss(list(range(32)), (), 0, (torch.zeros(1),))
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    assert sum(losses[:5]) - sum(losses[-5:]) > 2.5  # half a nat a word


@pytest.mark.parametrize("penalty", ["replay", "lwf"])
@pytest.mark.parametrize("kind", ["bert", "gpt2"])
def test_adapters_of_texts_are_held(kind: str, penalty: str, source: Path, task: Task, tmp_path: Path) -> None:
    trunk = str(folder_of(kind, tmp_path / "net"))
    budget = api.SourceBudget(keeping.open_source(source, task.kind)) if penalty == "replay" else None
    losses = [
        api.fit(task, "lora", backbone=trunk, settings=Settings(epochs=1, penalty=one), budget=given).run.steps[0].loss  # type: ignore[arg-type]
        for one, given in ((None, None), (penalty, budget))
    ]
    assert losses[1] > losses[0]


def test_a_folder_without_the_head_is_told_so(tmp_path: Path, source: Path, task: Task) -> None:
    folder = folder_of("bert", tmp_path / "net", head=False)
    with pytest.raises(BackboneError, match="has no language-model head"):
        api.fit(
            task,
            "full-fine-tuning",
            backbone=str(folder),
            budget=api.SourceBudget(keeping.open_source(source, task.kind)),
        )


def test_a_trunk_without_a_head_has_the_proxy_on_source_texts(tmp_path: Path, source: Path, task: Task) -> None:
    folder = folder_of("bert", tmp_path / "net", head=False)
    model = api.fit(task, "full-fine-tuning", backbone=str(folder), settings=Settings(epochs=1))
    found = keeping.forgetting_of(model, keeping.open_source(source, task.kind), task.train.samples)
    assert found is not None
    assert found["measured"] == "proxy"
    assert found["source_drift"] > 0
    assert "no perplexity" in forgetting_sentence(found)


def test_the_command_line_tells_perplexity(
    tuned: Model, source: Path, table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tuned.save(tmp_path / "m")
    assert run(["evaluate", str(tmp_path / "m"), str(table), "--source", str(source), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["forgetting"]
    assert found["metric"] == "masked_perplexity"


def test_an_empty_source_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.txt").write_text("\n \n")
    with pytest.raises(DataError, match=r"empty\.txt: no text in it"):
        keeping.open_source(tmp_path / "empty.txt", "text-classification")
