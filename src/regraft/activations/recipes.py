"""The content hash that says whether stored activations are still those of this trunk and these samples."""

import hashlib

from regraft.backbones.contract import Backbone
from regraft.backbones.ownership import is_owned
from regraft.core import Sample

# Raise when code that changes activations changes: stored ones are then computed anew.
LAYOUT = "4"


def prefix_hash(backbone: Backbone, frozen: int, *, without: str | None = None) -> str:
    """sha256 over what the first `frozen` stages compute with, hexadecimal: settings, weights and buffers.

    Args:
        backbone: The trunk.
        frozen: How many stages.
        without: Tensors with this in their name are left out.
    """
    outline = backbone.outline
    owned = tuple(name for stage in outline.stages[:frozen] for name in stage.modules)
    digest = hashlib.sha256(f"{outline.family}/{frozen}/{len(outline)}/{backbone.settings}".encode())
    for name, tensor in backbone.module.state_dict().items():
        if without is not None and without in name:
            continue
        if is_owned(name, owned):
            digest.update(f"{name}/{tuple(tensor.shape)}/{tensor.dtype}".encode())
            digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def recipe_key(backbone: Backbone, weights: str, outputs: str, precision: str) -> str:
    """sha256 over everything but the sample that decides an activation, hexadecimal."""
    parts = (LAYOUT, weights, backbone.preprocess.fingerprint, outputs, precision)
    return hashlib.sha256("/".join(parts).encode()).hexdigest()


def sample_key(sample: Sample, view: int | None) -> str:
    """The sample's digest and, of an augmented view, its seed."""
    return sample.digest if view is None else f"{sample.digest}/{view}"
