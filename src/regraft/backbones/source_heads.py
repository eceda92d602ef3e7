"""The head that a backbone was pre-trained with: what it still knows is measured through it."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import timm
from timm.data import ImageNetInfo
from torch import nn

from regraft.backbones.checkpoints import WEIGHTS, one_line
from regraft.backbones.folders import read_config
from regraft.backbones.hub import hub_file
from regraft.backbones.origin import original_folder
from regraft.core import BackboneError, Passport, file_sha256

# Heads without names of their own, by how many classes they have.
LABEL_SETS = {1000: "imagenet-1k", 21841: "imagenet-22k", 21843: "imagenet-21k-goog"}


@dataclass(frozen=True)
class SourceHead:
    """An original classifier.

    Attributes:
        module: From pooled features of the last stage (B, D) to logits (B, K).
        names: Of each output: what its class may be called, in lower case.
    """

    module: nn.Module
    names: tuple[frozenset[str], ...]

    def outputs_for(self, classes: tuple[str, ...]) -> dict[int, int]:
        """Positions of `classes` to outputs of this head, for those that name exactly one output."""
        found = {}
        for position, label in enumerate(classes):
            spoken = _aliases(label)
            outputs = [number for number, names in enumerate(self.names) if spoken & names]
            if len(outputs) == 1:
                found[position] = outputs[0]
        return found

    def is_of(self, classes: tuple[str, ...]) -> bool:
        """Whether its outputs are these classes, in this order."""
        return self.names == tuple(_aliases(label) for label in classes)


def source_head(passport: Passport, *, offline: bool = False) -> SourceHead:
    """The original classifier of a timm backbone.

    Raises:
        BackboneError: The backbone has none, or its weights are not where they were, or have changed.
    """
    source = passport.source
    try:
        model, weights = _original(passport, offline=offline)
    except (OSError, RuntimeError) as error:
        raise BackboneError(f"{source}: the original weights cannot be read ({one_line(error)})") from error
    if passport.sha256 and file_sha256(weights) != passport.sha256:
        raise BackboneError(f"{weights}: other weights than those that the model was made from; put the old ones back")
    classifier = model.get_classifier()
    if not isinstance(classifier, nn.Linear):
        raise BackboneError(f"{source}: its classifier is no dense layer ({type(classifier).__name__})")
    return SourceHead(classifier.eval().requires_grad_(False), _output_names(model, classifier.out_features))


def _original(passport: Passport, *, offline: bool) -> tuple[Any, Path]:
    """The whole pretrained network, classifier included, and its weights file."""
    kind, _, name = passport.source.partition(":")
    if kind == "timm":
        cfg: Any = timm.get_pretrained_cfg(name)
        weights = hub_file(str(cfg.hf_hub_id), WEIGHTS, revision=passport.revision or None, offline=offline)
        return timm.create_model(name, pretrained=True, pretrained_cfg_overlay={"file": str(weights)}), weights
    folder = original_folder(passport, offline=offline)
    if folder is None or "architecture" not in read_config(folder):
        raise BackboneError(
            f"{passport.source}: it has no original classifier, so that what was forgotten has no measure"
        )
    return timm.create_model(f"local-dir:{folder}", pretrained=True), folder / WEIGHTS


def _output_names(model: Any, outputs: int) -> tuple[frozenset[str], ...]:
    """What each output may be called: by the configuration, or by timm's list for that many classes."""
    cfg = model.pretrained_cfg
    labels, told = cfg.get("label_names"), cfg.get("label_descriptions") or {}
    if not labels and outputs in LABEL_SETS:
        info = ImageNetInfo(LABEL_SETS[outputs])
        labels, told = info.label_names(), info.label_descriptions()
    names = [str(label) for label in (labels or range(outputs))]
    described = [str(told.get(label, "") if isinstance(told, dict) else "") for label in names]
    return tuple(_aliases(name) | _aliases(more) for name, more in zip(names, described, strict=True))


def _aliases(label: str) -> frozenset[str]:
    """What a label may be called: `goldfish, Carassius auratus` by either name, `crane (n02012849)` by either part."""
    inside = re.findall(r"\(([^()]*)\)", label)
    parts = [*re.sub(r"\([^()]*\)", "", label).split(","), *inside] if inside else [*label.split(","), label]
    return frozenset(" ".join(part.replace("_", " ").casefold().split()) for part in parts if part.strip())
