"""What a trained model says of a visitor's own input, and what of the input it rests on."""

import base64
import io
from collections.abc import Callable
from typing import Any

import numpy as np
from PIL import Image

from regraft.studio.work.opened import model_at
from regraft.studio.work.plain import plain

Report = Callable[[dict[str, Any]], None]


def predict(arguments: dict[str, Any], _report: Report) -> dict[str, Any]:
    """A prediction with its explanation, where the kind of task has one.

    Args:
        arguments: `model`, a folder; `given`, a text or a picture's path; `label`, the class to explain, or None.
    """
    from regraft import api, explaining  # noqa: PLC0415 - a worker warms up first

    model = model_at(arguments["model"])
    (sample, *_), _ = api.samples_from([arguments["given"]], [], model.kind)
    (answer,) = model.predict([sample])
    told = {"kind": model.kind, "prediction": {**plain(answer), "input": ""}}
    if model.kind not in explaining.EXPLAINED:
        return told
    found = explaining.explain(model, sample, arguments.get("label"))
    told["explanation"] = {
        "label": found.label,
        "share": found.share,
        "pieces": plain(found.pieces),
        "pair_pieces": plain(found.pair_pieces),
        "grid": plain(found.grid),
        "view": None if found.view is None else as_png(found.view),
    }
    return told


def as_png(pixels: "np.ndarray[Any, Any]") -> str:
    """Pixels (H, W, 3) uint8 as a PNG in base64."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode("ascii")
