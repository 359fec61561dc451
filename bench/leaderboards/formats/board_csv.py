"""A board as CSV: one line per entry, with numbers in full precision."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from io import StringIO
from typing import TYPE_CHECKING

from bench.core.printable import printable
from bench.leaderboards.board import Ranks, Score
from bench.leaderboards.formats.columns import board_columns

if TYPE_CHECKING:
    from bench.leaderboards.board import Board
    from bench.leaderboards.formats.columns import Column, Value

FILE = "board.csv"
SCHEMA = 1
"""The version of the columns, which `bench docs board-formats` describes."""
_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
"""Characters at which a spreadsheet begins a formula."""
_Field = tuple[str, list[str]]
"""The heading of a field, and its cell in each row."""


def csv_text(board: Board) -> str:
    """Return the board as CSV (RFC 4180), with texts that no spreadsheet takes for formulas."""
    size = len(board.rows)
    fields: list[_Field] = [
        ("schema", [str(SCHEMA)] * size),
        ("board", [_text(board.name)] * size),
        ("fingerprint", [board.fingerprint] * size),
        ("entry_hash", [row.entry for row in board.rows]),
    ]
    for column in board_columns(board):
        fields += _fields(column)
    stream = StringIO()
    writer = csv.writer(stream)
    writer.writerow([_text(name) for name, _ in fields])
    writer.writerows(zip(*(cells for _, cells in fields), strict=True))
    return stream.getvalue()


def _fields(column: Column) -> Iterator[_Field]:
    """Yield the fields of a column: four for scores, two for ranks, otherwise one."""
    if column.metric:
        for part in ("mean", "std", "low", "high"):
            yield f"{column.key}_{part}", [_part(value, part) for value in column.values]
    elif any(isinstance(value, Ranks) for value in column.values):
        for part in ("best", "worst"):
            yield f"{column.key}_{part}", [_part(value, part) for value in column.values]
    else:
        yield column.key, [_cell(value) for value in column.values]


def _part(value: Value, part: str) -> str:
    return _cell(getattr(value, part)) if isinstance(value, Score | Ranks) else ""


def _cell(value: Value) -> str:
    if value is None:
        return ""
    return repr(value) if isinstance(value, int | float) else _text(str(value))


def _text(text: str) -> str:
    """Return a text in one printable line, with an apostrophe in front if it is like a formula."""
    line = printable(text)
    return f"'{line}" if line.lstrip().startswith(_FORMULA) else line
