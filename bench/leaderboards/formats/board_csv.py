"""A board as CSV: a line per entry, numbers as they are stored."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from io import StringIO
from typing import TYPE_CHECKING

from bench.core.printable import printable
from bench.leaderboards.board import Ranks, Score
from bench.leaderboards.formats.columns import columns

if TYPE_CHECKING:
    from bench.leaderboards.board import Board
    from bench.leaderboards.formats.columns import Column, Value

FILE = "board.csv"
SCHEMA = 1
"""The version of the columns, which `bench docs board-formats` describes."""
_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
"""What a spreadsheet takes for the beginning of a formula."""
_Field = tuple[str, list[str]]


def csv_text(board: Board) -> str:
    """Return the board as RFC 4180 has it; no text of others is a formula of a spreadsheet."""
    size = len(board.rows)
    fields: list[_Field] = [
        ("schema", [str(SCHEMA)] * size),
        ("board", [_text(board.name)] * size),
        ("fingerprint", [board.fingerprint] * size),
        ("entry_hash", [row.entry for row in board.rows]),
    ]
    for column in columns(board):
        fields += _fields(column)
    stream = StringIO()
    writer = csv.writer(stream)
    writer.writerow([_text(name) for name, _ in fields])
    writer.writerows(zip(*(cells for _, cells in fields), strict=True))
    return stream.getvalue()


def _fields(column: Column) -> Iterator[_Field]:
    """Yield the fields of a column: four of scores, two of ranks, else one."""
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
    """Return a text in one printable line, behind an apostrophe where it would be a formula."""
    shown = printable(text)
    return f"'{shown}" if shown.lstrip().startswith(_FORMULA) else shown
