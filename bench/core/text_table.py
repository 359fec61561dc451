"""Tables in plain text and in Markdown: the same cells, columns aligned."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from unicodedata import east_asian_width

from bench.core.printable import escaped_markdown, shortened, without_html


class Markup(str):
    """A cell that is Markdown already, such as a link; HTML in it is escaped all the same."""

    __slots__ = ()


def plain(
    headers: Sequence[str], rows: Sequence[Sequence[str]], right: str | Collection[str] = ""
) -> str:
    """Align the columns for a terminal.

    `right` names those flush right: a collection of headers, or several separated by commas.
    """
    # A line end within a cell would break the table.
    lines = [[shortened(cell) for cell in row] for row in [headers, *rows]]
    widths = [max(_width(line[column]) for line in lines) for column in range(len(headers))]
    flush = _flush_right(headers, right)
    return "\n".join("  ".join(map(_padded, line, widths, flush)).rstrip() for line in lines)


def markdown(
    headers: Sequence[str], rows: Sequence[Sequence[str]], right: str | Collection[str] = ""
) -> str:
    """Write a Markdown table; cells are shown as they are, but for those that are `Markup`."""
    rules = ["---:" if flush else "---" for flush in _flush_right(headers, right)]
    head, *lines = ([_markdown_cell(cell) for cell in row] for row in [headers, *rows])
    return "\n".join("| " + " | ".join(line) + " |" for line in [head, rules, *lines])


def _markdown_cell(cell: str) -> str:
    shown = without_html(shortened(cell)) if isinstance(cell, Markup) else escaped_markdown(cell)
    return shown.replace("|", "\\|")


def magnitude(count: int) -> str:
    """Write a large number with three digits: 7,204,192 is 7.20 M."""
    for unit, size in (("T", 1e12), ("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if count >= 0.9995 * size:
            digits = 2 - int(count >= 9.995 * size) - int(count >= 99.95 * size)
            return f"{count / size:.{max(digits, 0)}f} {unit}"
    return str(count)


def mebibytes(count: int) -> str:
    """Write a number of bytes in MiB, rounded up."""
    return f"{-(-count // 2**20):,}"


def _flush_right(headers: Sequence[str], right: str | Collection[str]) -> list[bool]:
    names = right.split(",") if isinstance(right, str) else right
    return [header in names for header in headers]


def _padded(cell: str, width: int, right: bool) -> str:  # noqa: FBT001 (mapped over columns)
    space = " " * (width - _width(cell))
    return space + cell if right else cell + space


def _width(cell: str) -> int:
    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in cell)
