"""Low-rank adapters: what trains, what stays, what is saved, and that peft reads it."""

import warnings
from pathlib import Path

import peft
import pytest
import timm
import torch
from transformers import AutoModel

from regraft import api
from regraft.core import PlanError, Task
from regraft.strategies import Settings

from .conftest import small_vision


@pytest.fixture(scope="module")
def tuned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from regraft.demo import intents_folder
    from regraft.tasks import few_shot, open_task

    folder = tmp_path_factory.mktemp("lora") / "model"
    task = few_shot(open_task(intents_folder()), 8, seed=0)
    model = api.fit(task, "lora", settings=Settings(epochs=4, learning_rate=2e-3), out=folder)
    assert model.results["test"]["accuracy"] > 0.4
    assert model.trainable_parameters < 0.03 * model.backbone.outline.parameters
    return folder


def test_the_merged_trunk_has_the_layers_that_it_had_before(tuned: Path) -> None:
    names = set(api.load_backbone("bundled:minilm").module.state_dict())
    model = api.load(tuned)
    assert set(model.backbone.module.state_dict()) == names
    assert not any("lora" in name for name, _ in model.backbone.module.named_modules())


def test_peft_reads_the_adapter_and_gets_the_same_features(tuned: Path) -> None:
    from regraft.backbones.bundled import bundled_folder

    base = AutoModel.from_pretrained(bundled_folder("minilm"))
    with_adapter = peft.PeftModel.from_pretrained(base, tuned / "adapter").eval()
    merged = api.load(tuned).backbone
    ids = torch.tensor([[101, 2054, 2003, 1996, 2166, 102]])
    mask, types = torch.ones_like(ids), torch.zeros_like(ids)
    with torch.inference_mode():
        theirs = with_adapter(input_ids=ids, attention_mask=mask, token_type_ids=types).last_hidden_state
        ours, _ = merged.run((ids, mask, types), 0, len(merged.outline))
    torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-4)


def test_a_loaded_model_keeps_its_adapter(tuned: Path, tmp_path: Path) -> None:
    api.load(tuned).save(tmp_path / "copy")
    for file in (tuned / "adapter").iterdir():
        assert (tmp_path / "copy" / "adapter" / file.name).read_bytes() == file.read_bytes()


def test_stages_before_the_boundary_keep_their_bytes(pictures: Task) -> None:
    start = {name: one.clone() for name, one in small_vision().module.state_dict().items()}
    model = api.fit(
        pictures, "lora", backbone=small_vision(), settings=Settings(epochs=1, boundary="2", learning_rate=0.05)
    )
    frozen = [name for stage in model.backbone.outline.stages[:2] for name in stage.modules]
    for name, tensor in model.backbone.module.state_dict().items():
        if name.startswith(tuple(frozen)):
            assert torch.equal(tensor, start[name]), name
    assert any(not torch.equal(tensor, start[name]) for name, tensor in model.backbone.module.state_dict().items())


def test_a_plan_of_adapters_goes_through_json(pictures: Task) -> None:
    plan = api.prepare(pictures, "lora", small_vision()).plan
    assert type(plan).from_json(plan.to_json()) == plan
    assert {row["trains"] for row in plan.table(small_vision().outline)} == {"adapter, rank 8", "yes"}


@pytest.fixture(scope="module")
def gpt2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small GPT-2 with random weights, as `save_pretrained` writes it."""
    from transformers import AutoConfig, AutoTokenizer

    from regraft.backbones.bundled import bundled_folder

    folder = tmp_path_factory.mktemp("gpt2") / "net"
    words = AutoTokenizer.from_pretrained(bundled_folder("minilm"), local_files_only=True)
    sizes = {"n_embd": 32, "n_layer": 2, "n_head": 4, "bos_token_id": 0, "eos_token_id": 0}
    with torch.random.fork_rng():
        torch.manual_seed(0)
        AutoModel.from_config(AutoConfig.for_model("gpt2", vocab_size=len(words), **sizes)).save_pretrained(folder)
    words.save_pretrained(folder)
    return folder


def test_gpt2_takes_adapters_and_peft_reads_them(gpt2: Path, texts: Task, tmp_path: Path) -> None:
    settings = Settings(epochs=1, learning_rate=3e-2)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)  # peft's, of a matrix that is laid out otherwise than it was told
        model = api.fit(texts, "lora", backbone=str(gpt2), settings=settings, out=tmp_path / "m")
    merged, start = api.load(tmp_path / "m").backbone, AutoModel.from_pretrained(gpt2)
    assert set(merged.module.state_dict()) == set(start.state_dict())
    with_adapter = peft.PeftModel.from_pretrained(start, tmp_path / "m" / "adapter").eval()
    ids = torch.tensor([[101, 2054, 2003, 1996, 2166, 102]])
    mask = torch.ones_like(ids)
    with torch.inference_mode():
        theirs = with_adapter(input_ids=ids, attention_mask=mask).last_hidden_state
        ours, _ = merged.run((ids, mask, torch.zeros_like(ids)), 0, len(merged.outline))
        before = AutoModel.from_pretrained(gpt2)(input_ids=ids, attention_mask=mask).last_hidden_state
    torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-4)
    assert float((ours - before).abs().max()) > 0.01
    assert model.trainable_parameters > sum(one.numel() for one in model.head.parameters())


def test_a_stage_without_a_dense_layer_is_not_said_to_have_an_adapter(gpt2: Path, texts: Task) -> None:
    prepared = api.prepare(texts, "lora", str(gpt2))
    said = {row["stage"]: row["trains"] for row in prepared.plan.table(prepared.outline)}
    assert said == {
        "embeddings": "frozen",
        "h.0": "adapter, rank 8",
        "h.1": "adapter, rank 8",
        "head (linear)": "yes",
    }


def test_a_trunk_without_a_dense_layer_to_train_is_refused_before_anything_runs(gpt2: Path, texts: Task) -> None:
    with pytest.raises(PlanError, match="no dense layer in its trained stages"):
        api.prepare(texts, "lora", str(gpt2), Settings(boundary="h.1"))


def test_a_vision_transformer_takes_adapters(pictures: Task) -> None:
    assert "test_vit" in timm.list_models("test_vit*")
    model = api.fit(pictures, "lora", backbone=small_vision("test_vit", 160), settings=Settings(epochs=1))
    assert "adapter_config.json" in model.adapter
