"""Low-rank adapters: what trains, what stays, what is saved, and that peft reads it."""

from pathlib import Path

import peft
import pytest
import timm
import torch
from transformers import AutoModel

from regraft import api
from regraft.core import Task
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


def test_a_vision_transformer_takes_adapters(pictures: Task) -> None:
    assert "test_vit" in timm.list_models("test_vit*")
    model = api.fit(pictures, "lora", backbone=small_vision("test_vit", 160), settings=Settings(epochs=1))
    assert "adapter_config.json" in model.adapter
