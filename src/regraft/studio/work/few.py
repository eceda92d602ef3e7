"""A task written out as data that anybody can open: what a scenario hands to the lab."""

import csv
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from regraft.core import DataError, ImageSample, Split, Task, TextSample

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_HELD = 40  # samples of a class in validation and test part: the lab is for trying


def write_task(task: Task, folder: Path) -> Path:
    """The task as class folders or tables below `folder`; what is there already is taken as it is.

    Raises:
        DataError: It is neither pictures nor texts in classes.
    """
    place = folder / task.name
    if place.exists():
        return place
    draft = folder / f".{task.name}.draft"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    for name, split in task.splits.items():
        if task.kind == "image-classification":
            _write_pictures(task, name, split, draft)
        elif task.kind == "text-classification":
            _write_texts(task, name, split, draft)
        else:
            raise DataError(f"{task.name}: {task.kind} is not opened in the lab")
    draft.replace(place)
    return place


def _kept(task: Task, name: str, split: Split) -> "Iterator[tuple[int, ImageSample | TextSample, str]]":
    """The samples of a split with their labels; of the held-out ones, so many of each class."""
    counts: dict[int, int] = {}
    for number, (sample, target) in enumerate(zip(split.samples, split.targets, strict=True)):
        counts[target] = counts.get(target, 0) + 1
        if name == "train" or counts[target] <= MOST_HELD:
            yield number, sample, task.classes[target]


def _write_pictures(task: Task, name: str, split: Split, folder: Path) -> None:
    for number, sample, label in _kept(task, name, split):
        if isinstance(sample, ImageSample):
            place = folder / name / label.replace("/", "-")
            place.mkdir(parents=True, exist_ok=True)
            suffix = Path(sample.source).suffix or ".jpg"
            (place / f"{number:06}{suffix}").write_bytes(sample.read())


def _write_texts(task: Task, name: str, split: Split, folder: Path) -> None:
    with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as opened:
        writer = csv.writer(opened)
        paired = any(isinstance(one, TextSample) and one.text_pair is not None for one in split.samples)
        writer.writerow(["text", *(["text_pair"] if paired else []), "label"])
        for _, sample, label in _kept(task, name, split):
            if isinstance(sample, TextSample):
                writer.writerow([sample.text, *([sample.text_pair or ""] if paired else []), label])
