"""A board as CSV: one line per entry, with numbers in full precision."""

from __future__ import annotations

import csv
from io import StringIO
from typing import TYPE_CHECKING

from bench.core.printable import printable
from bench.leaderboards.formats.board_fields import board_fields

if TYPE_CHECKING:
    from bench.leaderboards.board import Board
    from bench.leaderboards.formats.board_fields import Field

FILE = "board.csv"
SCHEMA = 1
"""The version of the columns, which `bench docs board-formats` describes."""
_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
"""Characters at which a spreadsheet begins a formula."""


def csv_text(board: Board) -> str:
    """Return the board as CSV (RFC 4180), with texts that no spreadsheet takes for formulas."""
    fields = {"schema": [SCHEMA] * len(board.rows), **board_fields(board)}
    stream = StringIO()
    writer = csv.writer(stream)
    writer.writerow([_text(name) for name in fields])
    writer.writerows([*map(_cell, cells)] for cells in zip(*fields.values(), strict=True))
    return stream.getvalue()


def _cell(value: Field) -> str:
    if value is None:
        return ""
    return repr(value) if isinstance(value, int | float) else _text(value)


def _text(text: str) -> str:
    """Return a text in one printable line, with an apostrophe in front if it is like a formula."""
    line = printable(text)
    return f"'{line}" if line.lstrip().startswith(_FORMULA) else line
