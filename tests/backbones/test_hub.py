"""Repositories of the hub, from its cache on this machine; no connection is opened."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import huggingface_hub.constants
import pytest
from pytest_socket import disable_socket, enable_socket

from regraft.backbones import load_backbone
from regraft.backbones.loading import load_original
from regraft.backbones.source_heads import source_head
from regraft.core import BackboneError

Make = Callable[..., Path]

REVISION = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture(autouse=True)
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """An empty hub cache, and no network."""
    folder = tmp_path / "hub"
    # The library reads HF_HUB_CACHE once, when it is imported.
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(folder))
    disable_socket()
    yield folder
    enable_socket()


def cached(hub: Path, repository: str, source: Path, revision: str = REVISION) -> None:
    """Put a folder into the hub's cache as the newest revision of `repository`."""
    kept = hub / f"models--{repository.replace('/', '--')}"
    shutil.copytree(source, kept / "snapshots" / revision)
    (kept / "refs").mkdir(exist_ok=True)
    (kept / "refs" / "main").write_text(revision)


@pytest.mark.parametrize("name", ["hf:timm/test_resnet.r160_in1k", "timm/test_resnet.r160_in1k"])
def test_a_timm_repository_is_loaded_by_timm(name: str, hub: Path, tmp_path: Path, timm_folder: Make) -> None:
    source = timm_folder(tmp_path / "source")
    config = json.loads((source / "config.json").read_text())
    config["pretrained_cfg"]["license"] = "apache-2.0"
    (source / "config.json").write_text(json.dumps(config))
    cached(hub, "timm/test_resnet.r160_in1k", source)
    backbone = load_backbone(name, offline=True)
    passport = backbone.passport
    assert (backbone.kind, backbone.outline.family) == ("image", "resnet")
    assert (passport.name, passport.revision) == ("timm/test_resnet.r160_in1k", REVISION)
    assert (passport.source, passport.license) == ("hf:timm/test_resnet.r160_in1k", "apache-2.0")
    assert len(passport.sha256) == 64


def test_a_revision_is_kept_in_the_passport(hub: Path, tmp_path: Path, timm_folder: Make) -> None:
    cached(hub, "timm/net", timm_folder(tmp_path / "source"))
    passport = load_backbone(f"hf:timm/net@{REVISION}", offline=True).passport
    assert (passport.source, passport.revision) == (f"hf:timm/net@{REVISION}", REVISION)


@pytest.mark.parametrize(
    ("name", "repository"), [("hf:timm/net", "timm/net"), ("timm:test_resnet.r160_in1k", "timm/test_resnet.r160_in1k")]
)
def test_what_a_passport_speaks_of_is_loaded_though_the_repository_has_changed(
    name: str, repository: str, hub: Path, tmp_path: Path, timm_folder: Make
) -> None:
    cached(hub, repository, timm_folder(tmp_path / "old", classes=1000))
    passport = load_backbone(name, offline=True).passport
    cached(hub, repository, timm_folder(tmp_path / "new", classes=1000), "f" * 40)
    assert load_backbone(name, offline=True).passport.sha256 != passport.sha256
    assert load_original(passport, offline=True).passport.sha256 == passport.sha256
    assert len(source_head(passport, offline=True).names) == 1000


def test_a_transformers_repository_is_loaded_by_transformers(hub: Path, tmp_path: Path, text_folder: Make) -> None:
    cached(hub, "somebody/bert", text_folder(tmp_path / "source"))
    backbone = load_backbone("hf:somebody/bert", offline=True)
    assert (backbone.outline.family, backbone.passport.name) == ("bert", "somebody/bert")


def test_a_timm_repository_that_is_not_here_says_so() -> None:
    with pytest.raises(BackboneError, match=r"timm/resnet18.a1_in1k: config.json is not on this machine and --offline"):
        load_backbone("hf:timm/resnet18.a1_in1k", offline=True)


def test_a_repository_whose_download_was_cut_off_says_so(hub: Path, tmp_path: Path, timm_folder: Make) -> None:
    source = timm_folder(tmp_path / "source")
    (source / "model.safetensors").unlink()
    cached(hub, "timm/net", source)
    with pytest.raises(BackboneError, match=r"timm/net: model.safetensors is not on this machine"):
        load_backbone("hf:timm/net", offline=True)


def test_cached_weights_of_a_timm_name_are_checked(hub: Path, tmp_path: Path, timm_folder: Make) -> None:
    source = timm_folder(tmp_path / "source")
    cached(hub, "timm/test_resnet.r160_in1k", source)
    with pytest.raises(BackboneError, match="cannot be loaded as test_resnet"):
        load_backbone("timm:test_resnet", offline=True)


def test_a_repository_with_a_broken_configuration_is_refused(hub: Path, tmp_path: Path, timm_folder: Make) -> None:
    source = timm_folder(tmp_path / "source")
    (source / "config.json").write_text("{broken")
    cached(hub, "timm/net", source)
    with pytest.raises(BackboneError, match="is not JSON"):
        load_backbone("hf:timm/net", offline=True)
