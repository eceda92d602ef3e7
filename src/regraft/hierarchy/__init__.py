"""The feature hierarchy made visible: what each stage of a backbone serves for, resembles and looks for."""

from regraft.hierarchy.figures import cka_figure, filters_png, patches_png, stage_accuracies
from regraft.hierarchy.filters import Filters, first_filters
from regraft.hierarchy.found import Probe, StageFinding
from regraft.hierarchy.patches import Channel, Patch, StagePatches, strongest_patches
from regraft.hierarchy.probe import probe
from regraft.hierarchy.texts import Anchor, Neighbour, anchors

__all__ = [
    "Anchor",
    "Channel",
    "Filters",
    "Neighbour",
    "Patch",
    "Probe",
    "StageFinding",
    "StagePatches",
    "anchors",
    "cka_figure",
    "filters_png",
    "first_filters",
    "patches_png",
    "probe",
    "stage_accuracies",
    "strongest_patches",
]
