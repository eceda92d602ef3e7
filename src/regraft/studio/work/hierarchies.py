"""The feature hierarchy: stage probes, filters and patches of a task, and a look at one's own picture or text."""

import base64
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from regraft.studio.work.opened import backbone_named, reads, resources, task_at
from regraft.studio.work.plain import plain
from regraft.studio.work.predicting import as_png, sample_of

if TYPE_CHECKING:
    from regraft.hierarchy import Probe, StageLook, StageProbes

Report = Callable[[dict[str, Any]], None]

MAP_SIDE = 112  # pixels of an activation map on the page
LIKELIEST = 3


def probe(arguments: dict[str, Any], report: Report) -> dict[str, Any]:
    """How well each stage serves a task, how alike stages are, and what they look for; the report is kept in `folder`.

    Args:
        arguments: `path`, `backbone`, `folder`.
        report: Gets `progress` events.
    """
    from regraft import hierarchy  # noqa: PLC0415 - a worker warms up first

    task = task_at(arguments["path"])
    found = hierarchy.probe(
        task,
        backbone_named(arguments["backbone"], reads(task)),
        out=Path(arguments["folder"]) / "hierarchy",
        resources=resources(arguments),
        progress=lambda what, done, total: report({"type": "progress", "what": what, "done": done, "total": total}),
    )
    told = plain(found.to_json())
    del told["report"]
    return {
        **told,
        "backbone": Path(found.backbone).name,
        "raw": plain(found.raw),
        "chance": plain(found.chance),
        **_pictures(found),
        "anchors": plain(found.anchors),
        "classes": plain(found.classes),
    }


def _pictures(found: "Probe") -> dict[str, Any]:
    """Filters and patches as PNGs in base64."""
    from regraft import hierarchy  # noqa: PLC0415

    filters = None
    if found.filters is not None:
        png = base64.b64encode(hierarchy.filters_png(found.filters)).decode("ascii")
        filters = {"layer": found.filters.layer, "count": len(found.filters.pictures), "png": png}
    patches = [
        {
            "stage": found.stages[one.stage].name,
            "field": plain(one.field),
            "side": min(one.side),
            "channels": [
                {
                    "number": channel.number,
                    "label": found.classes[channel.label],
                    "png": base64.b64encode(hierarchy.patches_png(channel)).decode("ascii"),
                }
                for channel in one.channels
            ],
        }
        for one in found.patches
    ]
    return {"filters": filters, "patches": patches}


def look(arguments: dict[str, Any], _report: Report) -> dict[str, Any]:
    """One picture or text, stage by stage.

    Args:
        arguments: `path`, `backbone`, `given`: a text or a picture's path.
    """
    from regraft import hierarchy  # noqa: PLC0415

    probes = _probes(
        arguments["path"], arguments["backbone"], arguments.get("device", "auto"), arguments.get("cache") or ""
    )
    kind = "image-classification" if probes.backbone.kind == "image" else "text-classification"
    found = hierarchy.look(probes, sample_of(arguments["given"], kind))
    return {
        "classes": list(found.classes),
        "label": found.label,
        "words": list(found.words),
        "view": None if found.view is None else as_png(found.view),
        "stages": [_stage(one, found.classes) for one in found.stages],
    }


@lru_cache(maxsize=4)
def _probes(path: str, backbone: str, device: str, cache: str) -> "StageProbes":
    from regraft import hierarchy  # noqa: PLC0415

    task = task_at(path)
    where = resources({"device": device, "cache": cache or None})
    return hierarchy.stage_probes(task, backbone_named(backbone, reads(task)), resources=where)


def _stage(one: "StageLook", classes: tuple[str, ...]) -> dict[str, Any]:
    order = sorted(range(len(classes)), key=lambda number: -one.shares[number])[:LIKELIEST]
    return {
        "name": one.name,
        "likeliest": [{"label": classes[number], "share": one.shares[number]} for number in order],
        "falls": plain(one.falls),
        "mean": None if one.mean is None else _map(one.mean),
        "channels": [{"number": number, "png": _map(pixels)} for number, pixels in one.channels],
    }


def _map(pixels: "np.ndarray[Any, Any]") -> str:
    """A map of activations, enlarged so that its places can be seen."""
    large = Image.fromarray(pixels).resize((MAP_SIDE, MAP_SIDE), Image.Resampling.NEAREST)
    return as_png(np.asarray(large.convert("RGB")))
