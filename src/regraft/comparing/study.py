"""Strategies side by side over seeds and shots, from scratch included; every trial is kept and never run twice."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from regraft import api
from regraft.comparing.curves import LearningCurve, curves_of
from regraft.comparing.forgetting import Forgetting, forgetting_of
from regraft.comparing.parts import Part, parts_of, with_test
from regraft.comparing.ranking import (
    Contest,
    Summary,
    Verdict,
    best_on_validation,
    contests,
    decide,
    grouped,
    largest,
    summarise,
)
from regraft.comparing.receipt import TransferGain, transfer_gain
from regraft.comparing.receipt_lines import receipt_lines
from regraft.comparing.report import Findings, write_report
from regraft.comparing.trials import Bench, Trial
from regraft.core import OptionError, Task
from regraft.core.display import html_list, html_table, html_title
from regraft.core.words import seconds_said
from regraft.preparing import trunk_for
from regraft.strategies import STRATEGIES
from regraft.strategies.applying import Arm, check_used
from regraft.tasks import Documents

OnTrial = Callable[[Trial], None]


@dataclass(frozen=True)
class Comparison:
    """What `compare` found.

    Attributes:
        trials: Every run.
        summaries: Strategies by number of shots, over seeds.
        gain: The transfer receipt; None without from scratch.
        report: The HTML file.
        verdict: What to take, and why.
        contests: Paired tests at the largest number of shots.
        curves: Learning curves.
        receipt: The receipt in sentences.
        forgetting: What each strategy lost of the source, at the largest number of shots; empty without source data.
        resampled: What intervals draw of the test part: `samples`, or `groups` where samples belong together.
    """

    trials: tuple[Trial, ...] = field(repr=False)
    summaries: tuple[Summary, ...]
    gain: TransferGain | None
    report: Path
    verdict: Verdict
    contests: tuple[Contest, ...]
    curves: tuple[LearningCurve, ...] = field(repr=False)
    receipt: tuple[str, ...]
    forgetting: tuple[Forgetting, ...]
    resampled: str = "samples"

    def _repr_html_(self) -> str:
        rows = [
            (
                one.strategy,
                one.shots,
                f"{one.mean:.3f}",
                f"{one.low:.3f} to {one.high:.3f}",
                seconds_said(one.training_seconds),
            )
            for one in self.summaries
        ]
        head = ("strategy", "shots", "test result", "95 % interval", "training time")
        said = html_list([*self.receipt, f"report: {self.report}"])
        return html_title(self.verdict.reason) + html_table(head, rows, most=len(rows)) + said


def compare(  # noqa: PLR0913 - what a caller may say
    task: Task,
    out: str | Path,
    *,
    strategies: Sequence[str] = (),
    backbone: str = "auto",
    seeds: int = 3,
    shots: Sequence[int | None] = (None,),
    settings: api.Settings | None = None,
    resources: api.Resources | None = None,
    source: Task | Documents | None = None,
    on_trial: OnTrial | None = None,
    on_time_left: Callable[[float], None] | None = None,
) -> Comparison:
    """Run each strategy at each number of shots with each seed, and compare.

    Args:
        task: Labelled data.
        out: Folder for the report, the rows and the trials; a second call goes on where one was interrupted.
        strategies: Names, with a boundary of its own where one is meant: `feature-extraction@all`,
            `partial-fine-tuning@layer3`; empty = all strategies.
        backbone: As `--backbone` takes it.
        seeds: How many, from `settings.seed` on.
        shots: Training samples per class; None = all.
        settings: For every trial; a strategy takes those it has a use for.
        resources: Device, precision, cache.
        source: Data of what the backbone was pre-trained on: what each strategy forgets of it is measured.
        on_trial: Called after each trial.
        on_time_left: Called after each trial with the seconds that those still to run will take, by those that ran.

    Raises:
        InputError: A strategy or a setting cannot be used; nothing has been computed.
    """
    arms = [Arm.named(name) for name in strategies] or [Arm(one.name) for one in STRATEGIES]
    settings, resources, folder = settings or api.Settings(), resources or api.Resources(), Path(out)
    if settings.penalty == "replay" and source is None:
        raise OptionError("--penalty replay needs data of the source: add --source DATA")
    check_used(arms, settings, task.kind)
    task, notes = with_test(task)
    for arm in arms:  # a wrong option leaves no folder behind
        prepared = api.prepare(task, arm.strategy, backbone, arm.settings(settings, task.kind), resources)
        if source is not None and prepared.plan.start == "pretrained":
            api.check_source(api.SourceBudget(source), task, prepared, resources)
    # Trials are kept under the weights that the backbone names, not under the random ones of from scratch.
    trunk = trunk_for(task, backbone, resources)
    try:
        (folder / "trials").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OptionError(f"--out {folder}: cannot be made ({error.strerror}); name another folder") from error
    bench = Bench(backbone, trunk, settings, resources, folder / "trials", source=source)
    groups, more = parts_of(task, shots, range(settings.seed, settings.seed + seeds))
    planned = [
        (strategy, part) for parts in groups for part in parts for strategy in dict.fromkeys(arm.name for arm in arms)
    ]
    trials = _run(bench, planned, on_trial, on_time_left)
    return _compared(task, trunk.passport.source, folder, trials, (*notes, *more))


def _run(
    bench: Bench,
    planned: Sequence[tuple[str, Part]],
    on_trial: OnTrial | None,
    on_time_left: Callable[[float], None] | None,
) -> tuple[Trial, ...]:
    """Every trial, from its file where it ran before."""
    trials: list[Trial] = []
    rates: dict[str, list[float]] = defaultdict(list)  # seconds a label, of each strategy
    for number, (strategy, part) in enumerate(planned, start=1):
        trial = bench.kept(strategy, part) or bench.run(strategy, part)
        trials.append(trial)
        rates[strategy].append(trial.seconds / max(part.labels, 1))
        if on_trial is not None:
            on_trial(trial)
        if on_time_left is not None:
            every = [rate for found in rates.values() for rate in found]
            left = [
                float(np.median(rates.get(name) or every)) * rest.labels
                for name, rest in planned[number:]
                if bench.kept(name, rest) is None
            ]
            on_time_left(sum(left))
    return tuple(trials)


def _compared(task: Task, backbone: str, folder: Path, trials: tuple[Trial, ...], notes: tuple[str, ...]) -> Comparison:
    groups = grouped(trials)
    most = largest(trials)
    at_most = {strategy: group for (strategy, shots), group in groups.items() if shots == most}
    reference = best_on_validation(at_most)
    rows = contests(at_most, reference)
    verdict = decide(at_most, reference, rows)
    curves = curves_of(list(groups.values()))
    gain = transfer_gain(at_most, curves)
    receipt = tuple(receipt_lines(gain, at_most))
    summaries = summarise(groups)
    found = Findings(task, backbone, trials, summaries, rows, verdict, receipt, curves, notes)
    return Comparison(
        trials,
        summaries,
        gain,
        write_report(folder, found),
        verdict,
        rows,
        curves,
        receipt,
        forgetting_of(at_most),
        found.resampled,
    )
