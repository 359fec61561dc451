"""Tables in plain text and in Markdown: the same cells, columns aligned."""

from __future__ import annotations

from collections.abc import Sequence
from unicodedata import east_asian_width


def plain(headers: Sequence[str], rows: Sequence[Sequence[str]], right: str = "") -> str:
    """Align the columns for a terminal; `right` names, comma-separated, those flush right."""
    lines = [headers, *rows]
    widths = [max(_width(line[column]) for line in lines) for column in range(len(headers))]
    flush = [header in right.split(",") for header in headers]
    return "\n".join("  ".join(map(_padded, line, widths, flush)).rstrip() for line in lines)


def markdown(headers: Sequence[str], rows: Sequence[Sequence[str]], right: str = "") -> str:
    """Write a Markdown table."""
    rules = ["---:" if header in right.split(",") else "---" for header in headers]
    escaped = [[cell.replace("|", "\\|") for cell in row] for row in rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in [headers, rules, *escaped])


def _padded(cell: str, width: int, right: bool) -> str:  # noqa: FBT001 (mapped over columns)
    space = " " * (width - _width(cell))
    return space + cell if right else cell + space


def _width(cell: str) -> int:
    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in cell)
