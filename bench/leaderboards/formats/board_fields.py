"""A board as a table for programs: one line per entry, numbers in full precision."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from bench.leaderboards.board import Ranks, Score
from bench.leaderboards.formats.columns import board_columns

if TYPE_CHECKING:
    from bench.leaderboards.board import Board
    from bench.leaderboards.formats.columns import Column, Value

Field = float | int | str | None


def board_fields(board: Board) -> dict[str, list[Field]]:
    """Return the values of each field by name, one value per row of the board.

    A score has four fields (`NAME_mean`, `NAME_std`, `NAME_low`, `NAME_high`), a rank interval has
    two (`NAME_best`, `NAME_worst`), everything else has one.
    """
    size = len(board.rows)
    fields: dict[str, list[Field]] = {
        "board": [board.name] * size,
        "fingerprint": [board.fingerprint] * size,
        "entry_hash": [row.entry for row in board.rows],
    }
    for column in board_columns(board):
        fields |= _fields(column)
    return fields


def _fields(column: Column) -> Iterator[tuple[str, list[Field]]]:
    """Yield name and values of each field of a column."""
    if column.metric:
        for part in ("mean", "std", "low", "high"):
            yield f"{column.key}_{part}", _parts(column.values, part)
    elif any(isinstance(value, Ranks) for value in column.values):
        for part in ("best", "worst"):
            yield f"{column.key}_{part}", _parts(column.values, part)
    else:
        yield column.key, [None if isinstance(v, Score | Ranks) else v for v in column.values]


def _parts(values: Sequence[Value], part: str) -> list[Field]:
    return [getattr(v, part) if isinstance(v, Score | Ranks) else None for v in values]
