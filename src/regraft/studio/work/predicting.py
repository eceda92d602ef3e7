"""What a trained model says of a visitor's own input, and what of the input it rests on."""

import base64
import io
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from regraft.studio.work.opened import model_at
from regraft.studio.work.plain import plain

if TYPE_CHECKING:
    from regraft.core import Sample

Report = Callable[[dict[str, Any]], None]


def predict(arguments: dict[str, Any], _report: Report) -> dict[str, Any]:
    """A prediction with its explanation, where the kind of task has one.

    Args:
        arguments: `model`, a folder; `given`, a text or a picture's path; `label`, the class to explain, or None.
    """
    from regraft import explaining  # noqa: PLC0415 - a worker warms up first

    model = model_at(arguments["model"])
    sample = sample_of(arguments["given"], model.kind)
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


def sample_of(given: str, kind: str) -> "Sample":
    """A visitor's text or sent picture as a sample.

    A text goes in as a line, never as an input: an input that ends in `.txt` would be read as a file of this machine.
    """
    from regraft import api  # noqa: PLC0415

    inputs, lines = ([given], []) if kind.startswith("image") else ([], [given])
    found, _ = api.samples_from(inputs, lines, kind)
    return found[0]


def as_png(pixels: "np.ndarray[Any, Any]") -> str:
    """Pixels (H, W, 3) uint8 as a PNG in base64."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode("ascii")
