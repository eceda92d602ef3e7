"""Names, folders and what is wrong with them."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import timm
import torch
from pytest_socket import disable_socket, enable_socket
from safetensors.torch import save_file

from regraft.backbones import bundled, list_backbones, load_backbone
from regraft.backbones.bundled import bundled_folder
from regraft.backbones.catalogue import CATALOGUE
from regraft.backbones.contract import features
from regraft.backbones.saving import load_saved_backbone, save_backbone
from regraft.backbones.source_heads import source_head
from regraft.core import BackboneError, ImageSample, TextSample


@pytest.fixture
def no_network():
    disable_socket()
    yield
    enable_socket()


@pytest.mark.usefixtures("no_network")
def test_bundled_and_local_backbones_open_no_socket(shared: Path) -> None:
    assert load_backbone("bundled:minilm").passport.license == "apache-2.0"
    passport = load_backbone(str(shared / "models" / "mobilenetv2_100.imagenet")).passport
    assert (passport.license, passport.input_size, passport.mean) == ("apache-2.0", (224, 224), (0.5, 0.5, 0.5))


@pytest.mark.usefixtures("no_network")
def test_offline_names_what_is_missing() -> None:
    with pytest.raises(BackboneError, match="--offline"):
        load_backbone("hf:nobody/nothing-here", offline=True)


def test_real_weights_give_timms_own_features_and_preprocessing(shared: Path) -> None:
    folder = shared / "models" / "mobilenetv2_100.imagenet"
    backbone = load_backbone(str(folder))
    reference = timm.create_model(f"local-dir:{folder}", pretrained=True).eval()
    transform = timm.data.create_transform(**timm.data.resolve_model_data_config(reference), is_training=False)
    file = next((shared / "data" / "vision" / "flowers5" / "test").rglob("*.jpg"))
    from PIL import Image

    ours = backbone.collate([backbone.preprocess(ImageSample(str(file), str(file), ""))])
    theirs = transform(Image.open(file).convert("RGB"))[None]
    assert (ours[0] - theirs).abs().mean() < 0.01
    with torch.inference_mode():
        expected = reference.forward_head(reference.forward_features(ours[0]), pre_logits=True)
        torch.testing.assert_close(features(backbone, ours)[-1], expected, rtol=1e-4, atol=1e-4)


def test_a_vision_model_of_transformers_loads(shared: Path) -> None:
    backbone = load_backbone(str(shared / "models" / "mobilenetv1_050.imagenet"), kind="image")
    assert (len(backbone.outline), backbone.outline.stages[-1].width) == (14, 512)
    assert backbone.preprocess.size == (160, 160)


@pytest.mark.parametrize("name", ["scratch:test_resnet", "scratch:test_vit", "bundled:minilm"])
def test_a_saved_trunk_is_the_same_trunk(name: str, tmp_path: Path) -> None:
    backbone = load_backbone(name)
    save_backbone(backbone, tmp_path / "backbone")
    again = load_saved_backbone(tmp_path / "backbone")
    first, second = backbone.module.state_dict(), again.module.state_dict()
    assert first.keys() == second.keys()
    assert all(torch.equal(first[key], second[key]) for key in first)
    assert (again.outline.stages, again.passport) == (backbone.outline.stages, backbone.passport)
    assert again.preprocess.fingerprint == backbone.preprocess.fingerprint


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("resnet81", "did you mean"),
        ("bundled:nothing", "bundled:minilm"),
        ("timm:nothing_like_it", "no such"),
    ],
)
def test_an_unknown_name_gets_a_hint(name: str, message: str) -> None:
    with pytest.raises(BackboneError, match=message):
        load_backbone(name)


def test_the_wrong_kind_is_refused() -> None:
    with pytest.raises(BackboneError, match="reads text, the data are pictures"):
        load_backbone("bundled:minilm", kind="image")


def test_pickled_weights_are_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"architecture": "test_resnet"}))
    torch.save({}, tmp_path / "pytorch_model.bin")
    with pytest.raises(BackboneError, match="convert them to model.safetensors"):
        load_backbone(str(tmp_path))


def test_weights_of_another_shape_are_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"architecture": "test_resnet", "num_classes": 0}))
    save_file({"conv1.weight": torch.zeros(1)}, tmp_path / "model.safetensors")
    with pytest.raises(BackboneError, match="cannot be loaded as test_resnet"):
        load_backbone(str(tmp_path))


def test_a_text_backbone_refuses_pictures_and_reads_pairs() -> None:
    preprocess = load_backbone("bundled:minilm").preprocess
    _, types = preprocess(TextSample("a", "one", "two"))
    assert types.tolist() == [0, 0, 0, 1, 1]
    with pytest.raises(Exception, match="choose a vision backbone"):
        preprocess(ImageSample("a.jpg", "a.jpg", ""))


@pytest.mark.parametrize("row", [row for row in CATALOGUE if row[2] == "image"], ids=lambda row: row[0])
def test_the_catalogue_tells_the_truth(row: tuple) -> None:
    outline = load_backbone(f"scratch:{row[0]}").outline
    assert (outline.parameters, len(outline)) == (row[3], row[4])


def test_the_catalogue_lists_the_embedded_one_first() -> None:
    first = list_backbones(kind="text", available=True)[0]
    outline = load_backbone(first.name).outline
    assert (first.name, first.parameters, first.stages) == ("bundled:minilm", outline.parameters, len(outline))


def test_the_embedded_vision_trunk_is_float32_and_small() -> None:
    backbone = load_backbone("bundled:resnet-small")
    entry = next(one for one in list_backbones(kind="image", available=True) if one.name == "bundled:resnet-small")
    assert (entry.parameters, entry.stages) == (backbone.outline.parameters, len(backbone.outline))
    assert {one.dtype for one in backbone.module.parameters()} == {torch.float32}
    assert (bundled_folder("resnet-small") / "model.safetensors").stat().st_size <= 12_000_000
    assert "research" in backbone.passport.license
    assert len(source_head(backbone.passport).names) == 200


def test_changed_embedded_weights_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"other")
    changed = replace(bundled.bundled_named("resnet-small"), folder=lambda: tmp_path)
    monkeypatch.setattr(bundled, "BUNDLED", (changed,))
    with pytest.raises(BackboneError, match="sha256 differs"):
        load_backbone("bundled:resnet-small")


def test_augmented_views_depend_on_sample_and_seed_alone(shared: Path) -> None:
    preprocess = load_backbone("scratch:test_resnet").preprocess
    file = str(next((shared / "data" / "vision" / "flowers5" / "test").rglob("*.jpg")))
    sample = ImageSample(file, file, "abc")
    assert torch.equal(preprocess.augmented(sample, 3), preprocess.augmented(sample, 3))
    assert not torch.equal(preprocess.augmented(sample, 3), preprocess.augmented(sample, 4))
