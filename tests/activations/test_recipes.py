"""What is stored belongs to one network: its settings are part of the key, and survive being saved."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import timm
import torch
from transformers import AutoConfig, AutoModel, AutoTokenizer

from regraft.activations.extract import pooled_features
from regraft.activations.recipes import prefix_hash
from regraft.activations.store import ActivationStore
from regraft.backbones import load_backbone
from regraft.backbones.bundled import bundled_folder
from regraft.backbones.contract import Backbone
from regraft.backbones.saving import save_backbone
from regraft.backbones.timm_source import build_timm
from regraft.core import Passport
from regraft.tasks import open_task


def changed(folder: Path, new: Path, **settings: object) -> Backbone:
    """The backbone of a copy whose configuration says something else."""
    shutil.copytree(folder, new)
    config = json.loads((new / "config.json").read_text())
    (new / "config.json").write_text(json.dumps({**config, **settings}))
    return load_backbone(str(new))


def bert_folder(folder: Path) -> Path:
    """A small text trunk with random weights."""
    words = AutoTokenizer.from_pretrained(bundled_folder("minilm"), local_files_only=True)
    sizes = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64}
    AutoModel.from_config(AutoConfig.for_model("bert", vocab_size=len(words), **sizes)).save_pretrained(folder)
    words.save_pretrained(folder)
    return folder


def test_a_network_that_pools_otherwise_does_not_get_the_rows_of_another(shared: Path, tmp_path: Path) -> None:
    folder = bundled_folder("resnet-small")
    samples = open_task(shared / "data" / "vision" / "omniglot20").train.samples[:4]
    store = ActivationStore(tmp_path / "store")
    (mean,), _ = pooled_features(load_backbone(str(folder)), samples, store, stages=[4])
    other = changed(folder, tmp_path / "max", model_args={"global_pool": "max"})
    (largest,), extraction = pooled_features(other, samples, store, stages=[4])
    assert extraction.computed == 4
    assert np.abs(largest - mean).max() > 0.1


@pytest.mark.parametrize("settings", [{"num_attention_heads": 2}, {"hidden_act": "relu"}, {"layer_norm_eps": 0.1}])
def test_settings_that_no_tensor_shows_change_the_key(tmp_path: Path, settings: dict[str, object]) -> None:
    folder = bert_folder(tmp_path / "bert")
    plain, other = load_backbone(str(folder)), changed(folder, tmp_path / "other", **settings)
    assert all(map(torch.equal, plain.module.state_dict().values(), other.module.state_dict().values()))
    assert prefix_hash(plain, 3) != prefix_hash(other, 3)


def test_names_and_versions_do_not_change_the_key(tmp_path: Path) -> None:
    folder = bert_folder(tmp_path / "bert")
    other = changed(folder, tmp_path / "other", transformers_version="4.0", id2label={"0": "a"}, _name_or_path="b")
    assert prefix_hash(load_backbone(str(folder)), 3) == prefix_hash(other, 3)


def transformer(size: int) -> Backbone:
    """A vision transformer for pictures of a size that is not its usual one."""
    arguments = {"img_size": size}
    return build_timm(timm.create_model("test_vit", **arguments), "test_vit", arguments, Passport("a", "scratch:a"))


@pytest.mark.parametrize(
    "make",
    [
        lambda folder: load_backbone(str(bert_folder(folder))),
        lambda folder: load_backbone("bundled:resnet-small"),
        lambda folder: transformer(64),
    ],
)
def test_a_saved_copy_has_the_key_of_its_original(tmp_path: Path, make: Callable[[Path], Backbone]) -> None:
    backbone = make(tmp_path / "first")
    save_backbone(backbone, tmp_path / "copy")
    again = load_backbone(str(tmp_path / "copy"))
    assert prefix_hash(again, 3) == prefix_hash(backbone, 3)
    assert backbone.rebuild().settings == backbone.settings
