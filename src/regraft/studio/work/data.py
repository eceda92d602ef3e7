"""What a task is, what is wrong with it, and a few of its samples to look at."""

import io
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image, ImageOps

from regraft.studio.work.plain import plain

if TYPE_CHECKING:
    from collections.abc import Callable

    from regraft.core import ImageSample, Sample, Task

SHOWN = 3  # samples of each class
MOST_CLASSES_SHOWN = 12
EDGE = 96  # pixels of a thumbnail
MOST_ITEMS = 20  # named of each problem


def embed(arguments: dict[str, Any], _report: "Callable[[dict[str, Any]], None]") -> None:
    """Write the embedded pictures to `folder`, whole or not at all."""
    from regraft.demo import digits_folder  # noqa: PLC0415 - a worker warms up first

    folder = Path(arguments["folder"])
    draft = folder.with_name(f".{folder.name}.draft")
    shutil.rmtree(draft, ignore_errors=True)
    digits_folder(draft).replace(folder)


def inspect(arguments: dict[str, Any], _report: "Callable[[dict[str, Any]], None]") -> dict[str, Any]:
    """An inspection, with samples; thumbnails are written to `thumbs`.

    Args:
        arguments: `path` of the data and `thumbs`, a folder.
    """
    from regraft import api  # noqa: PLC0415 - a worker warms up first

    found = api.inspect(arguments["path"])
    task = found.task
    result = {
        "usable": task is not None,
        "kind": found.kind,
        "classes": found.classes,
        "counts": found.counts,
        "splits": found.splits,
        "problems": [
            {**plain(one), "items": one.items[:MOST_ITEMS], "found": len(one.items)} for one in found.problems
        ],
        "metric": "" if task is None else task.metric,
        "fingerprint": "" if task is None else task.fingerprint,
        "samples": [] if task is None else _samples(task, Path(arguments["thumbs"])),
    }
    found_plain: dict[str, Any] = plain(result)
    return found_plain


def _samples(task: "Task", thumbs: Path) -> list[dict[str, Any]]:
    """A few training samples of each class."""
    shown: list[dict[str, Any]] = []
    counts: dict[str, int] = {}
    for sample, target in zip(task.train.samples, task.train.targets, strict=True):
        label = _label(task, target)
        if counts.get(label, 0) >= SHOWN or (label not in counts and len(counts) >= MOST_CLASSES_SHOWN):
            continue
        counts[label] = counts.get(label, 0) + 1
        shown.append({"label": label, **_look(sample, thumbs, len(shown))})
    return sorted(shown, key=lambda one: str(one["label"]))


def _label(task: "Task", target: Any) -> str:
    if task.kind in {"image-classification", "text-classification"}:
        return str(task.classes[target])
    if task.kind == "token-classification":
        return " ".join(task.classes[tag] for tag in target)
    if task.kind == "question-answering":
        return str(target.spans[0][1]) if target.spans else "no answer"
    return f"{target:g}"


def _look(sample: "Sample", thumbs: Path, number: int) -> dict[str, Any]:
    """A sample as a page shows it."""
    text = getattr(sample, "text", None)
    if text is not None:
        pair = getattr(sample, "text_pair", None)
        return {"text": text[:300], "pair": None if pair is None else pair[:300]}
    thumbs.mkdir(parents=True, exist_ok=True)
    (thumbs / f"{number}.png").write_bytes(thumbnail(sample))  # type: ignore[arg-type]
    return {"thumb": number}


def thumbnail(sample: "ImageSample") -> bytes:
    """A small PNG of a picture."""
    with Image.open(io.BytesIO(sample.read())) as picture:
        small = ImageOps.exif_transpose(picture).convert("RGB")
    small.thumbnail((EDGE, EDGE))
    file = io.BytesIO()
    small.save(file, "PNG", optimize=True)
    return file.getvalue()
