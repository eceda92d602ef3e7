"""Figures of a comparison as SVG text, drawn by matplotlib without a display."""

from collections.abc import Mapping, Sequence

import numpy as np

from regraft.comparing.curves import LearningCurve
from regraft.comparing.ranking import Summary
from regraft.comparing.receipt import SCRATCH
from regraft.comparing.trials import Trial
from regraft.core.words import metric_said
from regraft.reporting import COLOURS, WIDE, new_figure, plain_ticks, short, svg_of

MOST_CELLS = 20  # classes up to which a confusion is written in numbers


def spectrum(rows: Sequence[Summary], metric: str) -> str:
    """The metric against training seconds, each strategy with its interval."""
    figure, axes = new_figure(WIDE)
    for number, row in enumerate(rows):
        errors = [[max(row.mean - row.low, 0)], [max(row.high - row.mean, 0)]]
        colour = COLOURS[number % len(COLOURS)]
        axes.errorbar(
            max(row.training_seconds, 1e-3), row.mean, yerr=errors, fmt="o", capsize=4, color=colour, label=row.strategy
        )
    plain_ticks(axes)
    axes.set_xlabel("training time (seconds, median over seeds)")
    axes.set_ylabel(f"test {metric_said(metric)}")
    axes.legend(fontsize=9)
    return svg_of(figure)


def learning_curves(curves: Sequence[LearningCurve], metric: str) -> str:
    """The metric against labels, with intervals and the fitted power laws."""
    figure, axes = new_figure(WIDE)
    for number, curve in enumerate(curves):
        colour, line = COLOURS[number % len(COLOURS)], "--" if curve.strategy == SCRATCH else "-"
        low, high = np.nanpercentile(curve.draws, [2.5, 97.5], axis=0)
        axes.fill_between(curve.labels, low, high, color=colour, alpha=0.15, linewidth=0)
        axes.plot(curve.labels, curve.means, "o", color=colour, linestyle=line, label=curve.strategy)
        if curve.law is not None:
            sizes = np.geomspace(curve.labels[0], 2 * curve.labels[-1], 40)
            axes.plot(sizes, [1 - curve.law(size)[0] for size in sizes], color=colour, linestyle=":", linewidth=1)
    plain_ticks(axes)
    axes.set_xlabel("labelled samples (validation included; dotted: fitted power law)")
    axes.set_ylabel(f"test {metric_said(metric)}")
    axes.legend(fontsize=9)
    return svg_of(figure)


def confusion(trial: Trial, classes: Sequence[str]) -> str:
    """Shares of each true class, one row each."""
    counts = np.array(trial.confusion, dtype=float)
    size = min(max(3.4, 0.5 * len(classes) + 1.8), 12)
    figure, axes = new_figure((size, size))
    shares = counts / counts.sum(axis=1, keepdims=True).clip(1)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    axes.grid(visible=False)
    if len(classes) <= MOST_CELLS:
        axes.set_xticks(range(len(classes)), [short(name) for name in classes], rotation=60, ha="right", fontsize=8)
        axes.set_yticks(range(len(classes)), [short(name) for name in classes], fontsize=8)
        for row, column in zip(*np.nonzero(counts), strict=True):
            colour = "white" if shares[row, column] > 0.5 else "black"
            axes.text(column, row, f"{counts[row, column]:.0f}", ha="center", va="center", fontsize=8, color=colour)
    axes.set_xlabel("predicted class")
    axes.set_ylabel("true class")
    return svg_of(figure)


def reliability(trial: Trial) -> str:
    """Accuracy against confidence; on the diagonal a share of 0.8 is right 8 times of 10."""
    figure, axes = new_figure((3.4, 3.3))
    axes.plot([0, 1], [0, 1], color="gray", linestyle="--", linewidth=1, label="perfectly calibrated")
    bins = trial.calibration
    sizes = [10 + 120 * one.samples / max(sum(other.samples for other in bins), 1) for one in bins]
    axes.scatter(
        [one.confidence for one in bins],
        [one.accuracy for one in bins],
        s=sizes,
        color=COLOURS[0],
        label="test samples (area: how many)",
    )
    axes.set_xlim(0, 1.02)
    axes.set_ylim(0, 1.02)
    axes.set_xlabel("confidence in the predicted class")
    axes.set_ylabel("accuracy")
    axes.legend(fontsize=7)
    return svg_of(figure)


def stage_rates(trials: Mapping[str, Trial]) -> str:
    """The learning rate of each stage in the last phase of each strategy; frozen stages have none."""
    figure, axes = new_figure(WIDE)
    for number, (name, trial) in enumerate(trials.items()):
        rates = getattr(trial.plan.phases[-1], "rates", ())
        places = [place for place, rate in enumerate(rates) if rate > 0]
        if places:
            axes.plot(
                places, [rates[place] for place in places], "o-", color=COLOURS[number % len(COLOURS)], label=name
            )
    stages = next(iter(trials.values())).stages
    axes.set_xticks(range(len(stages)), stages, rotation=60, ha="right", fontsize=8)
    axes.set_yscale("log")
    axes.set_xlabel("stage, input side first (no point: frozen)")
    axes.set_ylabel("learning rate")
    if axes.has_data():
        axes.legend(fontsize=9)
    return svg_of(figure)


def forgetting(trials: Mapping[str, Trial]) -> str:
    """Target against source on the way from pretrained to tuned weights, a line for each strategy."""
    figure, axes = new_figure(WIDE)
    for number, (name, trial) in enumerate(trials.items()):
        curve = [(point.source, point.target) for point in trial.forgetting if point.target is not None]
        if len(curve) < 2:
            continue
        colour = COLOURS[number % len(COLOURS)]
        across, up = [source for source, _ in curve], [target for _, target in curve]
        axes.plot(across, up, ".-", color=colour, label=name)
        axes.plot(across[:1], up[:1], "s", color=colour)
        axes.plot(across[-1:], up[-1:], "*", color=colour, markersize=12)
    perplexity = any(point.source > 1 for trial in trials.values() for point in trial.forgetting)
    axes.set_xlabel("perplexity on the source (left is better)" if perplexity else "accuracy on the source")
    axes.set_ylabel("target validation accuracy")
    axes.legend(fontsize=9)
    return svg_of(figure)
