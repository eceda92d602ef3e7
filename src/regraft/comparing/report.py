"""The report of a comparison: one HTML file that needs nothing else, a Markdown file and the rows as CSV."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from regraft.comparing import plots
from regraft.comparing.curves import LearningCurve
from regraft.comparing.forgetting import Forgetting, forgetting_of
from regraft.comparing.ranking import Contest, Summary, Verdict, grouped, largest
from regraft.comparing.trials import Trial
from regraft.core import Task
from regraft.core.words import backbone_said, metric_said, points, seconds_said
from regraft.evaluating.bootstrap import in_groups
from regraft.reporting import figure, page, table, write_page


@dataclass(frozen=True)
class Findings:
    """Everything that a report tells."""

    task: Task
    backbone: str
    trials: tuple[Trial, ...]
    summaries: tuple[Summary, ...]
    contests: tuple[Contest, ...]
    verdict: Verdict
    receipt: tuple[str, ...]
    curves: tuple[LearningCurve, ...]
    notes: tuple[str, ...]

    @property
    def forgetting(self) -> tuple[Forgetting, ...]:
        """What each strategy lost of the source, at the largest number of labels."""
        most = largest(self.trials)
        return forgetting_of(
            {strategy: group for (strategy, shots), group in grouped(self.trials).items() if shots == most}
        )

    @property
    def resampled(self) -> str:
        """What intervals draw of the test part: its samples, or its groups of those that belong together."""
        return "groups" if in_groups(self.task.splits["test"].together) else "samples"

    @property
    def reference(self) -> str:
        """The strategy that the others are held against."""
        others = {row.strategy for row in self.contests}
        return next(row.strategy for row in self.summaries if row.strategy not in others)

    @property
    def chosen(self) -> Trial:
        """The first trial of the recommended strategy at the largest number of labels."""
        return grouped(self.trials)[self.verdict.strategy, largest(self.trials)][0]


def write_report(folder: Path, found: Findings) -> Path:
    """Write `report.html`, `report.md` and `rows.csv`; the path of the first."""
    _write_rows(folder / "rows.csv", found.trials)
    write_page(folder / "report.md", _markdown(found))
    write_page(folder / "report.html", _html(found))
    return folder / "report.html"


def _write_rows(file: Path, trials: Sequence[Trial]) -> None:
    rows = io.StringIO(newline="")
    writer = csv.writer(rows)
    writer.writerow(["strategy", "boundary", "shots", "seed", "metric", "seconds", "trainable_parameters"])
    for one in trials:
        writer.writerow(
            [one.strategy, one.boundary, one.shots, one.seed, one.metric, one.seconds, one.trainable_parameters]
        )
    write_page(file, rows.getvalue())


def _introduction(found: Findings) -> str:
    task = found.task
    classes = f", {len(task.classes)} classes" if task.classes else ""
    seeds = len({trial.seed for trial in found.trials})
    parts = {name: len(task.splits[name]) for name in ("train", "validation", "test") if name in task.splits}
    samples = ", ".join(
        f"{count:,} {'training' if name == 'train' else name}" for name, count in parts.items() if count
    )
    most = max(trial.labels for trial in found.trials)
    have = parts["train"] + parts.get("validation", 0)
    used = f"; up to {most:,} labels used" if most < have else ""
    return (
        f"{task.kind.replace('-', ' ').capitalize()}{classes}, on {backbone_said(found.backbone)}. {samples} samples{used}. "
        f"{seeds} {'seed' if seeds == 1 else 'seeds'}; intervals of the test {metric_said(task.metric)} are 95 % bootstrap "
        f"over seeds and {found.resampled} of the test part."
    )


def curve_sentences(curves: Sequence[LearningCurve]) -> list[str]:
    """What more labels would bring, and how well such a forecast did on the largest size."""
    lines = []
    for curve in curves:
        more = curve.extrapolation
        if more is None:
            continue
        line = f"{curve.strategy}: +{more.extra} labels -> {points(more.change, signed=True)} ± {points(more.margin)} points"
        held = curve.held_back
        if held is not None:
            hit = "covers it" if held.covered else "MISSES it"
            line += (
                f"; held-back check at {held.labels:.0f} labels: predicted {held.predicted:.3f} "
                f"[{held.low:.3f}, {held.high:.3f}], measured {held.measured:.3f}, the interval {hit}"
            )
        lines.append(f"{line}.")
    return lines or [
        "The curve cannot be extrapolated: three numbers of shots are needed, such as --shots 5,10,25,all."
    ]


SUMMARY_LEGEND = (
    "Shots: training samples per class, or in all where a sample has no class of its own. Labels: all labelled samples used, validation included. Training time: median over "
    "seeds, features included."
)
CONTEST_LEGEND = (
    "Difference of the test result with most labels, samples and seeds paired; p of the paired bootstrap, then corrected "
    "for the number of strategies (Holm). A tie: the interval includes 0."
)


def _summary_head(found: Findings) -> tuple[str, ...]:
    return ("strategy", "shots", "labels", f"test {metric_said(found.task.metric)}", "95 % interval", "training time")


def _contest_head(found: Findings) -> tuple[str, ...]:
    return (f"against {found.reference}", "difference (points)", "95 % interval", "p", "p (Holm)", "which is")


def _summary_rows(found: Findings) -> list[tuple[str, ...]]:
    return [
        (
            row.strategy,
            row.shots,
            f"{row.labels:.0f}",
            f"{row.mean:.3f}",
            f"{row.low:.3f} to {row.high:.3f}",
            seconds_said(row.training_seconds),
        )
        for row in found.summaries
    ]


def _contest_rows(found: Findings) -> list[tuple[str, ...]]:
    return [
        (
            row.strategy,
            points(row.difference, signed=True),
            f"{points(row.low, signed=True)} to {points(row.high, signed=True)}",
            f"{row.p_value:.3f}",
            f"{row.p_holm:.3f}",
            "tie" if row.tied else ("better" if row.difference > 0 else "worse"),
        )
        for row in found.contests
    ]


def _markdown(found: Findings) -> str:
    def marked(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
        cells = [head, ["---"] * len(head), *rows]
        return [f"| {' | '.join(cell.replace('|', '/') for cell in row)} |" for row in cells]

    lines = [
        f"# {found.task.name}: strategies compared",
        "",
        _introduction(found),
        "",
        f"**{found.verdict.reason}**",
        "",
    ]
    lines += [*(f"- {line}" for line in (*found.receipt, *found.notes)), ""]
    lines += [*marked(_summary_head(found), _summary_rows(found)), "", SUMMARY_LEGEND, ""]
    if found.contests:
        lines += [*marked(_contest_head(found), _contest_rows(found)), "", CONTEST_LEGEND, ""]
    if found.forgetting:
        lines += [*marked(FORGETTING_HEAD, _forgetting_rows(found)), ""]
    return "\n".join([*lines, *(f"- {line}" for line in curve_sentences(found.curves)), ""])


FORGETTING_HEAD = ("strategy", "source, pretrained", "source, tuned", "lost", "95 % interval")


def _forgetting_rows(found: Findings) -> list[list[str]]:
    return [
        [
            row.strategy,
            f"{row.before:.3f}",
            f"{row.after:.3f}",
            f"{100 * row.lost:.1f} {row.unit}",
            f"{100 * row.low:.1f} to {100 * row.high:.1f}",
        ]
        for row in found.forgetting
    ]


def _html(found: Findings) -> str:
    name, metric = escape(found.task.name), found.task.metric
    most = largest(found.trials)
    rows = [row for row in found.summaries if row.shots == most]
    first = {strategy: group[0] for (strategy, shots), group in grouped(found.trials).items() if shots == most}
    parts = [
        f"<h1>{name}: strategies compared</h1>",
        f'<p class="soft">{escape(_introduction(found))}</p>',
        f'<p class="said"><strong>{escape(found.verdict.reason)}</strong></p>',
        "<h2>Transfer receipt</h2>",
        *(f"<p>{escape(line)}</p>" for line in found.receipt),
        *(f'<p class="soft">{escape(line)}</p>' for line in found.notes),
        "<h2>The spectrum: result against cost</h2>",
        figure(plots.spectrum(rows, metric), "Each strategy with its 95 % interval; up and to the left is better."),
        table(_summary_head(found), _summary_rows(found)),
        f'<p class="soft">{escape(SUMMARY_LEGEND)}</p>',
    ]
    if found.contests:
        parts += [table(_contest_head(found), _contest_rows(found)), f'<p class="soft">{escape(CONTEST_LEGEND)}</p>']
    parts.append("<h2>More labels</h2>")
    if any(len(curve.labels) > 1 for curve in found.curves):
        parts.append(figure(plots.learning_curves(found.curves, metric), "Learning curves with 95 % intervals."))
    parts += [f"<p>{escape(line)}</p>" for line in curve_sentences(found.curves)]
    chosen, said = found.chosen, escape(found.verdict.strategy)
    if chosen.confusion:
        parts += [
            f"<h2>What {said} confuses</h2>",
            figure(
                plots.confusion(chosen, found.task.classes),
                f"Test samples of seed {chosen.seed}; darker: a larger share of the true class.",
            ),
        ]
    if chosen.calibration:
        parts += [
            "<h2>Reliability</h2>",
            figure(
                plots.reliability(chosen),
                "Across: how sure it is of a class. Up: the share of those test samples that it gets right.",
            ),
        ]
    parts += [
        "<h2>Learning rates</h2>",
        figure(
            plots.stage_rates(first),
            "Of each stage, in the last phase of each strategy; a strategy without a line trains no stage.",
        ),
    ]
    if found.forgetting:
        parts += ["<h2>Forgetting</h2>", table(FORGETTING_HEAD, _forgetting_rows(found))]
        if any(len(trial.forgetting) > 1 and trial.forgetting[0].target is not None for trial in first.values()):
            said = "From the pretrained weights (square) a fifth of the way at a time to the tuned ones (star)."
            parts.append(figure(plots.forgetting(first), said))
    return page(f"{found.task.name}: strategies compared", parts)
