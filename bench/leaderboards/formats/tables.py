"""The tables of a board's page: what ranks first, then the rest by what it is about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.core import text_table
from bench.core.text_table import Table
from bench.leaderboards.formats.columns import MAIN_COSTS, NOTHING, Column, Group, columns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.leaderboards.board import Board

_MIN_SETS = 2
_DETAILS: dict[str, tuple[Group, ...]] = {
    "Each test set": ("test sets",),
    "Other metrics": ("other metrics",),
    "Origin, cost and code": ("origin", "cost", "code"),
}
"""The groups of columns of each further table, by its heading."""


def main_table(board: Board) -> Table:
    """Return ranks, the score that ranks, parameters and the latency of a single sample."""
    everything = columns(board)
    scores = [column for column in everything if column.group == "score"]
    costs = [column for column in everything if column.key in MAIN_COSTS]
    return _table([*everything[:2], *scores, *costs])


def detail_tables(board: Board) -> dict[str, Table]:
    """Return the other columns in tables by heading."""
    everything = columns(board)
    groups = {
        heading: [column for column in everything if column.group in members]
        for heading, members in _DETAILS.items()
    }
    return {
        heading: _table([*everything[:2], *members])
        for heading, members in groups.items()
        if members
    }


def _table(listed: Sequence[Column]) -> Table:
    """Return columns as a table."""
    rows = [*zip(*(column.cells for column in listed), strict=True)]
    numbers = [column.heading for column in listed if not column.is_text]
    return Table([column.heading for column in listed], rows, numbers)


def published_table(board: Board) -> Table | None:
    """Return the figures that others state of the test sets, or None without any."""
    if not board.published:
        return None
    metric = board.primary.heading
    several = len(board.columns) >= _MIN_SETS
    names = board.column_names if several else [metric]
    noted = any(each.note for each in board.published)
    rows = [
        [
            each.label,
            *(
                f"{each.scores[column]:.2f}" if column in each.scores else NOTHING
                for column in board.column_names
            ),
            text_table.Markup(each.source),
            *([text_table.Markup(each.note or NOTHING)] if noted else []),
        ]
        for each in board.published
    ]
    return Table(["published", *names, "source", *(["note"] if noted else [])], rows, names)
