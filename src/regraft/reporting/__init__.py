"""What every report is made of: one HTML file that needs nothing else, and figures as SVG."""

from regraft.reporting.drawing import COLOURS, WIDE, new_figure, plain_ticks, short, svg_of
from regraft.reporting.page import STYLE, figure, page, picture, table, write_page

__all__ = [
    "COLOURS",
    "STYLE",
    "WIDE",
    "figure",
    "new_figure",
    "page",
    "picture",
    "plain_ticks",
    "short",
    "svg_of",
    "table",
    "write_page",
]
