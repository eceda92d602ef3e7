"""Figures as SVG text, drawn by matplotlib without a display."""

import io

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

WIDE = (6.4, 4.0)  # inches; a narrower screen shrinks it to 26 rem, where its words can still be read
# Okabe and Ito 2008: told apart by colour-blind readers too.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")


SHORT_AXIS = 8  # largest by smallest value; a shorter axis has fewer than three of 1, 2, 5, 10


def new_figure(size: tuple[float, float] = WIDE) -> tuple[Figure, Axes]:
    """A figure of that many inches with one plain pair of axes."""
    figure = Figure(figsize=size, layout="constrained")
    axes = figure.subplots()
    axes.grid(alpha=0.3)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    return figure, axes


def plain_ticks(axes: Axes) -> None:
    """Numbers of a logarithmic horizontal axis as people write them: 20, 50, 100, and not 2 x 10^1."""
    axes.set_xscale("log")
    low, high = axes.get_xlim()
    wide = high > SHORT_AXIS * low
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5), numticks=12) if wide else MaxNLocator(5))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))


def svg_of(figure: Figure) -> str:
    """The figure as an `<svg>` element with real text and the same bytes for the same data."""
    file = io.StringIO()
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "regraft", "font.family": "sans-serif"}):
        figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
    text = file.getvalue()
    return text[text.index("<svg") :]


def short(name: str, most: int = 24) -> str:
    """A name cut to what fits on an axis."""
    return name if len(name) <= most else f"{name[: most - 1]}…"
