"""`regraft demo`."""

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from regraft.cli.options import Output, Shared, shared_options, table

if TYPE_CHECKING:
    from rich.table import Table

    from regraft.comparing import Comparison

STRATEGIES = ("feature-extraction", "full-fine-tuning", "from-scratch")
PICTURE_EPOCHS = 8  # of everything that trains on pictures, so that the demo stays under four minutes on two cores


@dataclass(frozen=True)
class Chapter:
    """One task of the demo.

    Attributes:
        title: What a reader is told it is.
        folder: Makes or finds its data, given a folder that may be written to.
        backbone: Embedded, of the task's kind.
        epochs: Of whatever trains; None = as long as the strategy takes.
    """

    title: str
    folder: Callable[[Path], Path]
    backbone: str
    epochs: int | None = None


@click.command("demo")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Folder for the reports.")
@shared_options
def command(shared: Shared, out: Path | None) -> None:
    """The whole story on embedded data and weights, with no network: what does transfer gain, and what does it cost?"""
    from regraft import comparing, demo  # noqa: PLC0415 - keeps --help fast

    chapters = {
        "intents": Chapter("Customer messages, 8 intents", lambda _: demo.intents_folder(), "bundled:minilm"),
        "digits": Chapter("Handwritten digits", demo.digits_folder, "bundled:resnet-small", PICTURE_EPOCHS),
        "photographs": Chapter(
            "Tiles of 3 photographs", demo.photographs_folder, "bundled:resnet-small", PICTURE_EPOCHS
        ),
    }
    begun = time.perf_counter()
    output = Output(shared)
    folder = out or Path(tempfile.mkdtemp(prefix="regraft-demo-"))
    told, pages = [], []
    views: list[str | Table] = []
    for name, chapter in chapters.items():
        found = _compared(name, chapter, folder, shared, output)
        told.append(_told(name, found))
        views += [_table(chapter.title, found), comparing.gain_sentence(found.gain), ""]
        pages.append((chapter.title, comparing.gain_sentence(found.gain), found.report))
    report = comparing.write_contents(folder, "regraft demo", pages)
    seconds = time.perf_counter() - begun
    output.result(
        {"tasks": told, "report": str(report), "seconds": seconds},
        *views,
        f"report: {report}  ({seconds:.0f} s in all)",
    )


def _compared(name: str, chapter: Chapter, folder: Path, shared: Shared, output: Output) -> "Comparison":
    """One task, all its strategies."""
    from regraft import api, comparing  # noqa: PLC0415 - keeps --help fast

    with tempfile.TemporaryDirectory(prefix=f"regraft-{name}-") as made:
        task = api.open_task(chapter.folder(Path(made) / name), seed=shared.seed)
        output.say(
            f"{chapter.title}: {len(task.train)} to learn {len(task.classes)} classes from, {len(task.validation)} "
            f"to choose by, {len(task.splits['test'])} to test on; backbone {chapter.backbone}"
        )
        return comparing.compare(
            task,
            folder / name,
            strategies=STRATEGIES,
            backbone=chapter.backbone,
            seeds=1,
            settings=api.Settings(seed=shared.seed, epochs=chapter.epochs),
            resources=api.Resources(shared.device, "auto", shared.cache_dir, offline=True),
            on_trial=lambda one: output.say(f"  {one.strategy}: accuracy {one.metric:.3f} in {one.seconds:.1f} s"),
        )


def _table(title: str, found: "Comparison") -> "Table":
    rows = [
        [
            one.strategy,
            f"{one.trainable_parameters:,}",
            f"{row.mean:.3f}",
            f"{row.low:.3f} to {row.high:.3f}",
            f"{one.seconds:.1f}",
        ]
        for one, row in zip(found.trials, found.summaries, strict=True)
    ]
    columns = ["strategy", "trained parameters", "test accuracy", "95 % interval", "seconds"]
    return table(title, columns, rows, right=("trained parameters", "test accuracy", "seconds"))


def _told(name: str, found: "Comparison") -> dict[str, Any]:
    """One task as promised keys; `recommended` is the best on the validation part, ties to the cheaper."""
    by_name = {trial.strategy: trial for trial in found.trials}
    best = max(STRATEGIES[:-1], key=lambda one: by_name[one].validation)
    told = {one: {"accuracy": by_name[one].metric, "seconds": by_name[one].seconds} for one in STRATEGIES}
    return {
        "name": name,
        "recommended": {"strategy": best, "boundary": by_name[best].boundary},
        "fit": {"strategy": best, **told[best]},
        "scratch": told["from-scratch"],
        "transfer_gain": None if found.gain is None else found.gain.accuracy,
    }
