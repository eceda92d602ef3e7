"""One page that leads to the reports of several comparisons."""

from collections.abc import Sequence
from html import escape
from pathlib import Path

from regraft.reporting import page, write_page


def write_contents(folder: Path, title: str, reports: Sequence[tuple[str, str, Path]]) -> Path:
    """Write `report.html` in `folder`; its path.

    Args:
        folder: An existing one, above all the reports.
        title: Of the page.
        reports: Title, what was found in a sentence, and the report of each comparison.
    """
    parts = [
        f'<h2><a href="{escape(report.relative_to(folder).as_posix())}">{escape(name)}</a></h2><p>{escape(said)}</p>'
        for name, said, report in reports
    ]
    file = folder / "report.html"
    write_page(file, page(title, [f"<h1>{escape(title)}</h1>", *parts]))
    return file
