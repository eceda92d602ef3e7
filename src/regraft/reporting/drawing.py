"""Figures as SVG text, drawn by matplotlib without a display."""

import io

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

WIDE = (7.2, 4.2)
# Okabe and Ito 2008: told apart by colour-blind readers too.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")


def new_figure(size: tuple[float, float] = WIDE) -> tuple[Figure, Axes]:
    """A figure of that many inches with one plain pair of axes."""
    figure = Figure(figsize=size, layout="constrained")
    axes = figure.subplots()
    axes.grid(alpha=0.3)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    return figure, axes


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
