"""The tables of a board's page: the score that ranks, then the other columns by topic."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.core import text_table
from bench.core.text_table import Table
from bench.leaderboards.formats.columns import (
    MAIN_COSTS,
    NO_VALUE,
    Column,
    ColumnGroup,
    board_columns,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.leaderboards.board import Board

_MIN_SETS = 2
_DETAILS: dict[str, tuple[ColumnGroup, ...]] = {
    "Each test set": ("test sets",),
    "Other metrics": ("other metrics",),
    "Origin, cost and code": ("origin", "cost", "code"),
}
"""The groups of columns of each further table, by its heading."""


def main_table(board: Board) -> Table:
    """Return the table of ranks, the score that ranks, parameters and latency of one sample."""
    everything = board_columns(board)
    scores = [column for column in everything if column.group == "score"]
    costs = [column for column in everything if column.key in MAIN_COSTS]
    return _table([*everything[:2], *scores, *costs])


def detail_tables(board: Board) -> dict[str, Table]:
    """Return the tables of the other columns, by heading."""
    everything = board_columns(board)
    groups = {
        heading: [column for column in everything if column.group in members]
        for heading, members in _DETAILS.items()
    }
    return {
        heading: _table([*everything[:2], *members])
        for heading, members in groups.items()
        if members
    }


def _table(table_columns: Sequence[Column]) -> Table:
    rows = [*zip(*(column.cells for column in table_columns), strict=True)]
    numbers = [column.heading for column in table_columns if not column.is_text]
    return Table([column.heading for column in table_columns], rows, numbers)


def published_table(board: Board) -> Table | None:
    """Return the table of scores that others have published, or None without any."""
    if not board.published:
        return None
    metric = board.ranking_metric.heading
    several = len(board.columns) >= _MIN_SETS
    names = board.column_names if several else [metric]
    has_notes = any(each.note for each in board.published)
    rows = [
        [
            each.label,
            *(
                f"{each.scores[column]:.2f}" if column in each.scores else NO_VALUE
                for column in board.column_names
            ),
            text_table.Markup(each.source),
            *([text_table.Markup(each.note or NO_VALUE)] if has_notes else []),
        ]
        for each in board.published
    ]
    return Table(["published", *names, "source", *(["note"] if has_notes else [])], rows, names)
