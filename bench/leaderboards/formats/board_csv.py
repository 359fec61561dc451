"""A board as CSV: a line per entry, numbers as they are stored."""

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
"""What a spreadsheet takes for the beginning of a formula."""


def csv_text(board: Board) -> str:
    """Return the board as RFC 4180 has it; no text of others is a formula of a spreadsheet."""
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
    """Return a text in one printable line, behind an apostrophe where it would be a formula."""
    shown = printable(text)
    return f"'{shown}" if shown.lstrip().startswith(_FORMULA) else shown
