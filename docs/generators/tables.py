"""Tables of Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

CODE_OR_MARK = re.compile(r"(`[^`]*`)|[\[<]")
MARKS = {"[": "\\[", "<": "&lt;"}
"""What would begin a link or a tag outside of code."""
GENERATED = "<!-- Written by `python docs/generators`; edit the code, not this page. -->"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table with a line per row."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(map(cell, line))} |\n" for line in lines)


def cell(text: str) -> str:
    """Return a text in one line, without what would end its cell."""
    text = " ".join(text.split()).replace("|", "\\|")
    return CODE_OR_MARK.sub(lambda match: match[1] or MARKS[match[0]], text)


def quoted(text: str) -> str:
    """Return a text as code, empty where it is empty."""
    return f"`{text}`" if text else ""
