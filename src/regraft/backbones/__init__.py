"""Pretrained trunks as ordered stages, from timm, transformers, local folders and installed packages."""

from regraft.backbones.catalogue import BackboneEntry, list_backbones
from regraft.backbones.loading import load_backbone
from regraft.backbones.scratch import reinitialised

__all__ = ["BackboneEntry", "list_backbones", "load_backbone", "reinitialised"]
