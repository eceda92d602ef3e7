"""`regraft demo`."""

import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from regraft.cli.options import Output, Shared, shared_options, table

if TYPE_CHECKING:
    from regraft.comparing import Comparison
    from regraft.core import Recommendation, Task
    from regraft.model import Model

STRATEGIES = ("feature-extraction", "full-fine-tuning", "from-scratch")
BUDGET_SECONDS = 20.0  # of the recommendation: the whole demo takes a minute or two


@click.command("demo")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Folder for the report.")
@shared_options
def command(shared: Shared, out: Path | None) -> None:
    """The whole story on embedded data and weights, with no network: what does transfer gain, and what does it cost?"""
    from regraft import api, comparing  # noqa: PLC0415 - keeps --help fast
    from regraft.demo import intents_folder  # noqa: PLC0415

    begun = time.perf_counter()
    output = Output(shared)
    folder = out or Path(tempfile.mkdtemp(prefix="regraft-demo-"))
    task = api.open_task(intents_folder(), seed=shared.seed)
    output.say(
        f"{len(task.train)} customer messages to learn {len(task.classes)} intents from, "
        f"{len(task.validation)} to choose by, {len(task.splits['test'])} to test on; backbone bundled:minilm"
    )
    resources, settings = (
        api.Resources(shared.device, "auto", shared.cache_dir, offline=True),
        api.Settings(seed=shared.seed),
    )
    with output.progress() as progress:
        advice = api.recommend(
            task,
            ["bundled:minilm"],
            budget_seconds=BUDGET_SECONDS,
            settings=settings,
            resources=resources,
            progress=progress,
        )
        followed = api.fit(task, advice.best, settings=settings, resources=resources, progress=progress)
    _say_advice(output, advice, followed, task)
    found = comparing.compare(
        task,
        folder,
        strategies=STRATEGIES,
        backbone="bundled:minilm",
        seeds=1,
        settings=settings,
        resources=resources,
        on_trial=lambda one: output.say(f"{one.strategy}: accuracy {one.metric:.3f} in {one.seconds:.1f} s"),
    )
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
    seconds = time.perf_counter() - begun
    output.result(
        {"tasks": [_told(task, advice, followed, found)], "report": str(found.report), "seconds": seconds},
        table("Customer messages, 8 intents", columns, rows, right=("trained parameters", "test accuracy", "seconds")),
        "",
        comparing.gain_sentence(found.gain),
        f"report: {found.report}  ({seconds:.0f} s in all)",
    )


def _say_advice(output: Output, advice: "Recommendation", followed: "Model", task: "Task") -> None:
    """What was recommended, why, and what following it gave."""
    best = advice.best
    output.say(f"recommended: {best.strategy}, boundary {best.boundary}, found in {advice.seconds:.0f} s")
    for reason in advice.reasons:
        output.say(f"  {reason}")
    reached = followed.results["test"][task.metric]
    output.say(f"followed: accuracy {reached:.3f}, expected {best.expected:.3f} ({best.low:.3f} to {best.high:.3f})")


def _told(task: "Task", advice: "Recommendation", followed: "Model", found: "Comparison") -> dict[str, Any]:
    """One task of the demo as promised keys."""
    scratch = next(trial for trial in found.trials if trial.strategy == "from-scratch")
    reached = {"accuracy": followed.results["test"][task.metric], "seconds": followed.run.seconds["total"]}
    return {
        "name": task.name,
        "recommended": {"strategy": advice.best.strategy, "boundary": advice.best.boundary},
        "fit": {"strategy": followed.run.plan.strategy, **reached},
        "scratch": {"accuracy": scratch.metric, "seconds": scratch.seconds},
        "transfer_gain": None if found.gain is None else found.gain.accuracy,
    }
