"""The feature hierarchy made visible: what each stage of a backbone serves for, resembles and looks for."""

from regraft.hierarchy.figures import cka_figure, filters_png, patches_png, stage_accuracies
from regraft.hierarchy.filters import Filters, first_filters
from regraft.hierarchy.found import Probe, StageFinding
from regraft.hierarchy.looking import Look, StageLook, StageProbes, look, stage_probes
from regraft.hierarchy.patches import Channel, Patch, StagePatches, strongest_patches
from regraft.hierarchy.probe import probe
from regraft.hierarchy.texts import Anchor, Neighbour, anchors

__all__ = [
    "Anchor",
    "Channel",
    "Filters",
    "Look",
    "Neighbour",
    "Patch",
    "Probe",
    "StageFinding",
    "StageLook",
    "StagePatches",
    "StageProbes",
    "anchors",
    "cka_figure",
    "filters_png",
    "first_filters",
    "look",
    "patches_png",
    "probe",
    "stage_accuracies",
    "stage_probes",
    "strongest_patches",
]
