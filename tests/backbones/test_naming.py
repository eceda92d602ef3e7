"""What `--backbone` may say: names, paths and what is no name at all."""

from collections.abc import Callable
from pathlib import Path

import pytest
from pytest_socket import disable_socket, enable_socket

from regraft.backbones import load_backbone
from regraft.backbones.source_heads import source_head
from regraft.core import BackboneError

Make = Callable[..., Path]


@pytest.fixture(autouse=True)
def no_network():
    disable_socket()
    yield
    enable_socket()


def refusal(name: str, **options: bool) -> str:
    """The one line that refuses a name."""
    with pytest.raises(BackboneError) as caught:
        load_backbone(name, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("name", ["", " ", "timm:", "hf:", "scratch:", "bundled:", "scratch:timm:"])
def test_an_empty_name_is_refused(name: str) -> None:
    message = refusal(name)
    assert "names no" in message
    assert f"--backbone {name!r}" in message


@pytest.mark.parametrize("name", ["hf:a/b/c", "hf:a b/c", "hf:/a", "hf:a/", "hf:@main", "hf:a--b/c", "hf:a/b.git"])
def test_a_malformed_repository_is_refused(name: str) -> None:
    message = refusal(name)
    assert name in message
    assert "hf:OWNER/NAME" in message


@pytest.mark.parametrize("name", ["scratch:nonsense", "scratch:timm:nonsense", "timm:nonsense", "nonsense"])
def test_an_unknown_network_is_refused_as_it_was_written(name: str) -> None:
    message = refusal(name)
    assert f"--backbone {name}: no such" in message


def test_an_unknown_bundled_name_lists_those_there_are() -> None:
    assert "there is bundled:minilm" in refusal("bundled:nonsense")
    assert "there is bundled:minilm" in refusal("scratch:bundled:nonsense")


def test_an_unknown_tag_lists_those_there_are() -> None:
    assert "a1_in1k" in refusal("timm:resnet18.nonsense")
    assert "a1_in1k" in refusal("resnet18.nonsense")


@pytest.mark.parametrize(
    "name",
    ["./foo", "../foo", "/no/such/folder", "~/no-such-folder", "~nobody-at-all/foo", "models/foo", "foo/", "a/b/c"],
)
def test_a_path_typo_is_no_such_folder(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "models").mkdir()
    monkeypatch.chdir(tmp_path)
    assert f"--backbone {name}: no such folder" in refusal(name)
    assert "no such folder" in refusal(f"scratch:{name}")


def test_a_neighbour_of_a_mistyped_folder_is_suggested(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, timm_folder: Make
) -> None:
    timm_folder(tmp_path / "flowers")
    monkeypatch.chdir(tmp_path)
    assert "did you mean" in refusal("./flower")
    assert "flowers" in refusal("./flower")


def test_a_file_is_no_folder(tmp_path: Path, timm_folder: Make) -> None:
    folder = timm_folder(tmp_path / "model")
    assert f"give its folder, {folder}" in refusal(str(folder / "model.safetensors"))


def test_owner_and_name_mean_the_hub_where_there_is_no_such_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert "--offline" in refusal("nobody/nothing-here", offline=True)
    assert "--offline" in refusal("nobody/nothing-here@main", offline=True)


@pytest.mark.parametrize("name", ["mine", "./mine", "sub/../mine"])
def test_a_folder_is_found_again_from_another_one(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, timm_folder: Make
) -> None:
    timm_folder(tmp_path / "mine")
    (tmp_path / "sub").mkdir()
    monkeypatch.chdir(tmp_path)
    passport = load_backbone(name).passport
    monkeypatch.chdir(tmp_path / "sub")
    assert (passport.name, passport.source) == ("mine", str(tmp_path / "mine"))
    assert len(source_head(passport).names) == 3


def test_home_is_expanded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, timm_folder: Make) -> None:
    timm_folder(tmp_path / "mine")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert load_backbone("~/mine").outline.family == "resnet"
