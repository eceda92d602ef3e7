"""`regraft demo`."""

import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from regraft.cli.options import Output, Shared, shared_options, table

if TYPE_CHECKING:
    from regraft.comparing import Comparison

STRATEGIES = ("feature-extraction", "full-fine-tuning", "from-scratch")


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
    found = comparing.compare(
        task,
        folder,
        strategies=STRATEGIES,
        backbone="bundled:minilm",
        seeds=1,
        settings=api.Settings(seed=shared.seed),
        resources=api.Resources(shared.device, "auto", shared.cache_dir, offline=True),
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
        {"tasks": [_told(task.name, found)], "report": str(found.report), "seconds": seconds},
        table("Customer messages, 8 intents", columns, rows, right=("trained parameters", "test accuracy", "seconds")),
        "",
        comparing.gain_sentence(found.gain),
        f"report: {found.report}  ({seconds:.0f} s in all)",
    )


def _told(name: str, found: "Comparison") -> dict[str, Any]:
    """One task of the demo as promised keys; `recommended` is the best on the validation part, ties to the cheaper."""
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
