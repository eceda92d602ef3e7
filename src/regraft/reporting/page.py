"""Pieces of an HTML report that works with no network."""

import base64
from collections.abc import Sequence
from html import escape
from pathlib import Path

STYLE = """
:root { color-scheme: light dark; --ink: #1a1a1a; --paper: #ffffff; --soft: #5a5a5a; --line: #d8d8d8; }
@media (prefers-color-scheme: dark) { :root { --ink: #ececec; --paper: #16181c; --soft: #a8a8a8; --line: #3a3d44; } }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); margin: 0 auto; max-width: 62rem; padding: 1rem; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin-top: 2rem; }
.said { font-size: 1.05rem; } .soft { color: var(--soft); }
.table { overflow-x: auto; margin: 1rem 0; } table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .3rem .7rem; border-bottom: 1px solid var(--line); white-space: nowrap; }
td.number, th.number { text-align: right; }
figure { margin: 1rem 0; padding: .7rem; background: #ffffff; color: #1a1a1a; border: 1px solid var(--line); border-radius: .5rem; overflow-x: auto; }
figure svg { display: block; margin: 0 auto; max-width: max(100%, 26rem); height: auto; } figcaption { font-size: .9rem; }
""".strip()


def page(title: str, parts: Sequence[str], *, style: str = "") -> str:
    """A whole HTML page.

    Args:
        title: Plain text.
        parts: HTML, one after the other.
        style: CSS beyond the common one.
    """
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}{style}</style></head>\n<body>{chr(10).join(parts)}</body></html>\n"
    )


def figure(svg: str, caption: str) -> str:
    """A drawing with a caption, which screen readers read too."""
    marked = svg.replace("<svg", f'<svg role="img" aria-label="{escape(caption)}"', 1)
    return f"<figure>{marked}<figcaption>{escape(caption)}</figcaption></figure>"


def picture(png: bytes, described: str, *, width: int | None = None) -> str:
    """A PNG inside the page; `width` in CSS pixels."""
    size = "" if width is None else f' width="{width}"'
    return f'<img src="data:image/png;base64,{base64.b64encode(png).decode()}" alt="{escape(described)}"{size}>'


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table whose first column is words and the others numbers."""

    def cells(values: Sequence[str], tag: str) -> str:
        return "".join(
            f"<{tag}{' class=number' if place else ''}>{escape(value)}</{tag}>" for place, value in enumerate(values)
        )

    body = "".join(f"<tr>{cells(row, 'td')}</tr>" for row in rows)
    return f'<div class="table"><table><thead><tr>{cells(head, "th")}</tr></thead><tbody>{body}</tbody></table></div>'


def write_page(file: Path, text: str) -> None:
    """Write a file whole or not at all."""
    draft = file.with_name(f".{file.name}.draft")
    draft.write_text(text, encoding="utf-8")
    draft.replace(file)
