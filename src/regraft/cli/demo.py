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
    from regraft.core import Recommendation, Task
    from regraft.model import Model

STRATEGIES = ("feature-extraction", "full-fine-tuning", "from-scratch")
BUDGET_SECONDS = 15.0  # of each recommendation: the whole demo takes less than four minutes on two cores
PICTURE_EPOCHS = 6  # of everything that trains on pictures, for the same reason


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
        facts, found = _played(name, chapter, folder, shared, output)
        told.append(facts)
        views += [_table(chapter.title, found), comparing.gain_sentence(found.gain), ""]
        pages.append((chapter.title, comparing.gain_sentence(found.gain), found.report))
    report = comparing.write_contents(folder, "regraft demo", pages)
    seconds = time.perf_counter() - begun
    output.result(
        {"tasks": told, "report": str(report), "seconds": seconds},
        *views,
        f"report: {report}  ({seconds:.0f} s in all)",
    )


def _played(
    name: str, chapter: Chapter, folder: Path, shared: Shared, output: Output
) -> tuple[dict[str, Any], "Comparison"]:
    """One task: a recommendation, what following it gives, and all strategies side by side."""
    from regraft import api, comparing  # noqa: PLC0415 - keeps --help fast

    resources = api.Resources(shared.device, "auto", shared.cache_dir, offline=True)
    settings = api.Settings(seed=shared.seed, epochs=chapter.epochs)
    with tempfile.TemporaryDirectory(prefix=f"regraft-{name}-") as made:
        task = api.open_task(chapter.folder(Path(made) / name), seed=shared.seed)
        output.say(
            f"{chapter.title}: {len(task.train)} to learn {len(task.classes)} classes from, {len(task.validation)} "
            f"to choose by, {len(task.splits['test'])} to test on; backbone {chapter.backbone}"
        )
        with output.progress() as progress:
            advice = api.recommend(
                task,
                [chapter.backbone],
                budget_seconds=BUDGET_SECONDS,
                settings=settings,
                resources=resources,
                progress=progress,
            )
            followed = api.fit(task, advice.best, settings=settings, resources=resources, progress=progress)
        _say_advice(output, advice, followed, task)
        found = comparing.compare(
            task,
            folder / name,
            strategies=STRATEGIES,
            backbone=chapter.backbone,
            seeds=1,
            settings=settings,
            resources=resources,
            on_trial=lambda one: output.say(f"  {one.strategy}: accuracy {one.metric:.3f} in {one.seconds:.1f} s"),
        )
    return _told(task, advice, followed, found), found


def _say_advice(output: Output, advice: "Recommendation", followed: "Model", task: "Task") -> None:
    """What was recommended, why, and what following it gave."""
    best = advice.best
    output.say(f"recommended: {best.strategy}, boundary {best.boundary}, found in {advice.seconds:.0f} s")
    for reason in advice.reasons:
        output.say(f"  {reason}")
    reached = followed.results["test"][task.metric]
    output.say(f"followed: accuracy {reached:.3f}, expected {best.expected:.3f} ({best.low:.3f} to {best.high:.3f})")


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


def _told(task: "Task", advice: "Recommendation", followed: "Model", found: "Comparison") -> dict[str, Any]:
    """One task as promised keys."""
    scratch = next(trial for trial in found.trials if trial.strategy == "from-scratch")
    reached = {"accuracy": followed.results["test"][task.metric], "seconds": followed.run.seconds["total"]}
    return {
        "name": task.name,
        "recommended": {"strategy": advice.best.strategy, "boundary": advice.best.boundary},
        "fit": {"strategy": followed.run.plan.strategy, **reached},
        "scratch": {"accuracy": scratch.metric, "seconds": scratch.seconds},
        "transfer_gain": None if found.gain is None else found.gain.accuracy,
    }
