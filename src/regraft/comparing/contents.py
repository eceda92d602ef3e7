"""One page that leads to the reports of several comparisons."""

from collections.abc import Sequence
from html import escape
from pathlib import Path

from regraft.comparing.report import STYLE


def write_contents(folder: Path, title: str, pages: Sequence[tuple[str, str, Path]]) -> Path:
    """Write `report.html` in `folder`; its path.

    Args:
        folder: An existing one, above all the reports.
        title: Of the page.
        pages: Title, what was found in a sentence, and the report of each comparison.
    """
    parts = [
        f'<h2><a href="{escape(str(report.relative_to(folder)))}">{escape(name)}</a></h2><p>{escape(said)}</p>'
        for name, said, report in pages
    ]
    file = folder / "report.html"
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{escape(title)}</title>'
    body = "\n".join([f"<h1>{escape(title)}</h1>", *parts])
    draft = file.with_suffix(".draft")
    draft.write_text(
        f'<!doctype html>\n<html lang="en"><head>{head}\n<style>{STYLE}</style></head>\n<body>\n{body}\n</body></html>\n',
        encoding="utf-8",
    )
    draft.replace(file)
    return file
