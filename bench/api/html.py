"""Paragraphs and tables as HTML for notebooks, without scripts, in which no text is markup."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from bench.core.printable import printable
from bench.core.text_table import Table
from bench.leaderboards.formats.text_page import html_table

Blocks = Sequence[str | Table]
_STYLE = (
    ".bench th,.bench td{text-align:left;padding:.2em .6em}.bench .right{text-align:right}"
    ".bench p{white-space:pre-line}.bench img{max-width:100%}"
)


def output(*parts: str) -> str:
    """Return parts of HTML as one output of a notebook."""
    content = "\n".join(filter(None, parts))
    return f'<div class="bench"><style>{_STYLE}</style>\n{content}\n</div>'


def html(blocks: Blocks) -> str:
    """Return paragraphs and tables, one after the other."""
    return "\n".join(html_table(b) if isinstance(b, Table) else _paragraph(b) for b in blocks)


def folded(heading: str, blocks: Blocks) -> str:
    """Return paragraphs and tables that a reader unfolds; nothing where there are none."""
    if not blocks:
        return ""
    return f"<details><summary>{escape(printable(heading))}</summary>\n{html(blocks)}\n</details>"


def _paragraph(text: str) -> str:
    return f"<p>{escape(printable(text, chr(10)))}</p>"
