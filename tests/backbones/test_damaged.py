"""Folders that cannot be used are refused with one line that names the folder and the cure."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from regraft.backbones import load_backbone
from regraft.core import BackboneError

Make = Callable[..., Path]


def change_weights(folder: Path, *, without: str = "no such tensor", cut: str = "") -> None:
    """Leave out tensors whose names hold `without`; give the one named `cut` another shape."""
    weights = {name: one for name, one in load_file(folder / "model.safetensors").items() if without not in name}
    if cut:
        weights[cut] = torch.zeros(3, 4)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})


def refusal(folder: Path) -> str:
    """The one line that refuses a folder."""
    with pytest.raises(BackboneError) as caught:
        load_backbone(str(folder))
    message = str(caught.value)
    assert "\n" not in message
    assert str(folder) in message
    return message


@pytest.mark.parametrize("kind", ["bert", "gpt2", "electra", "distilbert", "roberta"])
def test_a_whole_checkpoint_loads_whatever_its_head(kind: str, tmp_path: Path, text_folder: Make) -> None:
    folder = text_folder(tmp_path / "whole", kind)
    assert load_backbone(str(folder)).outline.family == kind


@pytest.mark.parametrize(
    ("kind", "layer"), [("bert", "encoder.layer.1."), ("distilbert", "transformer.layer.1."), ("gpt2", "h.1.")]
)
def test_a_missing_layer_is_an_error_that_names_it(kind: str, layer: str, tmp_path: Path, text_folder: Make) -> None:
    folder = text_folder(tmp_path / "holed", kind)
    change_weights(folder, without=layer)
    message = refusal(folder)
    assert "lacks" in message
    assert layer in message


def test_a_missing_pooler_or_position_ids_is_no_error(tmp_path: Path, text_folder: Make) -> None:
    folder = text_folder(tmp_path / "poolerless")
    change_weights(folder, without="pooler")
    assert len(load_backbone(str(folder)).outline) == 3


def test_a_tensor_of_another_shape_is_an_error_that_names_it(tmp_path: Path, text_folder: Make) -> None:
    folder = text_folder(tmp_path / "bent")
    change_weights(folder, cut="bert.encoder.layer.0.attention.self.query.weight")
    message = refusal(folder)
    assert "encoder.layer.0.attention.self.query.weight" in message
    assert "(3, 4)" in message
    assert "(32, 32)" in message


@pytest.mark.parametrize("kind", ["bert", "gpt2"])
def test_a_folder_without_tokenizer_is_refused(kind: str, tmp_path: Path, text_folder: Make) -> None:
    message = refusal(text_folder(tmp_path / "wordless", kind, tokenizer=False))
    assert "no usable tokenizer" in message


def test_a_tokenizer_larger_than_the_embeddings_is_refused(tmp_path: Path, text_folder: Make) -> None:
    folder = text_folder(tmp_path / "mixed")
    change_weights(folder, without="word_embeddings")
    weights = load_file(folder / "model.safetensors")
    weights["bert.embeddings.word_embeddings.weight"] = torch.zeros(50, 32)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "vocab_size": 50}))
    assert "the model knows 50" in refusal(folder)


@pytest.mark.parametrize("form", ["text_folder", "timm_folder"])
def test_truncated_weights_are_refused(form: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    folder = request.getfixturevalue(form)(tmp_path / "short")
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    assert "damaged or cut short" in refusal(folder)


def test_a_layer_missing_from_timm_weights_is_named_though_the_classifier_differs(
    tmp_path: Path, timm_folder: Make
) -> None:
    folder = timm_folder(tmp_path / "holed")
    config = {"architecture": "test_resnet", "model_args": {"num_classes": 5}}
    config["pretrained_cfg"] = {"classifier": "fc", "num_classes": 3}
    (folder / "config.json").write_text(json.dumps(config))
    assert load_backbone(str(folder)).outline.family == "resnet"
    change_weights(folder, without="layer2.")
    assert "layer2.0" in refusal(folder)


def test_timm_weights_of_another_network_are_refused(tmp_path: Path, timm_folder: Make) -> None:
    folder = timm_folder(tmp_path / "swapped")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "architecture": "test_vit"}))
    assert "cannot be loaded as test_vit" in refusal(folder)


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ("{broken", "config.json is not JSON"),
        ("[1, 2]", "config.json is not JSON"),
        ('{"architecture": "resnet81"}', "did you mean"),
        ('{"architecture": "hf-hub:timm/resnet18"}', "architecture"),
        ('{"architecture": 3}', "architecture"),
        ('{"architecture": "test_resnet", "pretrained_cfg": {}, "model_args": {"nonsense": 1}}', "nonsense"),
        ('{"architecture": "test_resnet", "model_args": [1]}', "model_args"),
        ('{"model_type": "nonsense"}', "model_type nonsense"),
        ('{"model_type": "t5"}', "model_type t5"),
        ('{"hidden_size": 3}', "architecture"),
    ],
)
def test_an_unusable_configuration_is_refused(config: str, words: str, tmp_path: Path, timm_folder: Make) -> None:
    folder = timm_folder(tmp_path / "odd")
    (folder / "config.json").write_text(config)
    assert words in refusal(folder)


def test_an_adapter_is_refused_with_what_to_do(tmp_path: Path) -> None:
    folder = tmp_path / "lora"
    folder.mkdir()
    (folder / "adapter_config.json").write_text('{"base_model_name_or_path": "bert-base-uncased"}')
    save_file({"a": torch.zeros(1)}, folder / "adapter_model.safetensors")
    message = refusal(folder)
    assert "bert-base-uncased" in message
    assert "merge" in message


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert "is empty" in refusal(tmp_path / "empty")


def test_weights_in_several_files_are_refused(tmp_path: Path, text_folder: Make) -> None:
    folder = text_folder(tmp_path / "sharded")
    (folder / "model.safetensors").rename(folder / "model-00001-of-00002.safetensors")
    (folder / "model.safetensors.index.json").write_text("{}")
    assert "max_shard_size" in refusal(folder)


@pytest.mark.parametrize("settings", [None, "{broken", '{"size": 3}'])
def test_a_vision_folder_without_its_preprocessing_is_refused(settings: str | None, tmp_path: Path) -> None:
    from transformers import MobileNetV1Config, MobileNetV1Model

    folder = tmp_path / "blind"
    MobileNetV1Model(MobileNetV1Config(depth_multiplier=0.25)).save_pretrained(folder)
    if settings is not None:
        (folder / "preprocessor_config.json").write_text(settings)
    assert "preprocessor_config.json" in refusal(folder)
