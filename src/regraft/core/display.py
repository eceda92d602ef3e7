"""What objects show of themselves in a notebook: small HTML tables, everything in them escaped."""

from collections.abc import Sequence
from html import escape

MOST_ROWS = 20  # more are cut, and how many is said


def html_table(head: Sequence[str], rows: Sequence[Sequence[str]], *, most: int = MOST_ROWS) -> str:
    """A table of words and numbers as they are written.

    Args:
        head: Names of the columns.
        rows: Each as long as `head`.
        most: Rows that are shown.
    """
    names = "".join(f"<th>{escape(name)}</th>" for name in head)
    body = "".join(
        "<tr>" + "".join(f'<td style="text-align:left">{escape(cell)}</td>' for cell in row) + "</tr>"
        for row in rows[:most]
    )
    more = f"<p>and {len(rows) - most:,} more</p>" if len(rows) > most else ""
    return f"<table><tr>{names}</tr>{body}</table>{more}"


def html_list(sentences: Sequence[str]) -> str:
    """Sentences as a list; empty for none."""
    lines = "".join(f"<li>{escape(one)}</li>" for one in sentences)
    return f"<ul>{lines}</ul>" if lines else ""


def html_title(name: str, rest: str = "") -> str:
    """A name in bold with what is said of it."""
    return f"<p><b>{escape(name)}</b>{escape(rest)}</p>"
