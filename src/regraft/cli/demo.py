"""`regraft demo`."""

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from regraft.cli.options import Output, Shared, shared_options, table

if TYPE_CHECKING:
    from rich.console import Group

    from regraft.comparing import Comparison
    from regraft.core import Recommendation, Task
    from regraft.model import Model

STRATEGIES = ("feature-extraction", "full-fine-tuning", "from-scratch")
BUDGET_SECONDS = 15.0  # of each recommendation ...
PICTURE_EPOCHS = 6  # ... and of everything that trains on pictures: the demo takes about three minutes on two cores


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


@dataclass(frozen=True)
class Story:
    """What a chapter found.

    Attributes:
        task: Its data.
        advice: What was recommended.
        followed: What following it gave.
        found: The strategies side by side.
    """

    task: "Task"
    advice: "Recommendation"
    followed: "Model"
    found: "Comparison"


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
    views: list[str | Group] = []
    for name, chapter in chapters.items():
        story = _told_by(name, chapter, folder, shared, output)
        gain = comparing.gain_sentence(story.found.gain)
        told.append(_promised(name, story))
        views += [_table(chapter.title, story.found), _followed_said(story), gain, ""]
        pages.append((chapter.title, gain, story.found.report))
    report = comparing.write_contents(folder, "regraft demo", pages)
    seconds = time.perf_counter() - begun
    output.result(
        {"tasks": told, "report": str(report), "seconds": seconds},
        *views,
        f"report: {report}  ({seconds:.0f} s in all)",
    )


def _told_by(name: str, chapter: Chapter, folder: Path, shared: Shared, output: Output) -> Story:
    """One task: what is recommended, what following it gives, and all strategies side by side."""
    from regraft import api, comparing  # noqa: PLC0415 - keeps --help fast

    resources = api.Resources(shared.device, "auto", shared.cache_dir, offline=True)
    settings = api.Settings(seed=shared.seed)
    with tempfile.TemporaryDirectory(prefix=f"regraft-{name}-") as made:
        task = api.open_task(chapter.folder(Path(made) / name), seed=shared.seed)
        output.say(
            f"{chapter.title}: {len(task.train)} to learn {len(task.classes)} classes from, {len(task.validation)} "
            f"to choose by, {len(task.splits['test'])} to test on; backbone {chapter.backbone}"
        )
        if chapter.epochs is not None:
            output.say(
                f"  to keep the demo short all that trains does so for {chapter.epochs} epochs, which is few for tuning"
            )
        advice = api.recommend(
            task, [chapter.backbone], budget_seconds=BUDGET_SECONDS, settings=settings, resources=resources
        )
        best = advice.best
        output.say(f"  recommended: {best.strategy}, boundary {best.boundary}, found in {advice.seconds:.0f} s")
        for reason in advice.reasons:
            output.say(f"    {reason}")
        shortened = replace(best, epochs=min(best.epochs, chapter.epochs or best.epochs))
        followed = api.fit(task, shortened, settings=settings, resources=resources)
        found = comparing.compare(
            task,
            folder / name,
            strategies=STRATEGIES,
            backbone=chapter.backbone,
            seeds=1,
            settings=replace(settings, epochs=chapter.epochs),
            resources=resources,
            on_trial=lambda one: output.say(f"  {one.strategy}: accuracy {one.metric:.3f} in {one.seconds:.1f} s"),
        )
    return Story(task, advice, followed, found)


def _followed_said(story: Story) -> str:
    """What was recommended, expected and reached."""
    best, reached = story.advice.best, story.followed.results["test"][story.task.metric]
    return (
        f"recommended: {best.strategy}, boundary {best.boundary}; expected {best.expected:.3f} "
        f"({best.low:.3f} to {best.high:.3f}), reached {reached:.3f}"
    )


def _table(title: str, found: "Comparison") -> "Group":
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


def _promised(name: str, story: Story) -> dict[str, Any]:
    """One task as promised keys."""
    best, followed = story.advice.best, story.followed
    scratch = next(trial for trial in story.found.trials if trial.strategy == "from-scratch")
    gain = story.found.gain
    return {
        "name": name,
        "recommended": {"strategy": best.strategy, "boundary": best.boundary},
        "fit": {
            "strategy": followed.run.plan.strategy,
            "accuracy": followed.results["test"][story.task.metric],
            "seconds": followed.run.seconds["total"],
        },
        "scratch": {"accuracy": scratch.metric, "seconds": scratch.seconds},
        "transfer_gain": None if gain is None else gain.accuracy,
    }
