"""A board as text for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from bench.core.printable import shortened
from bench.core.text_table import Styled, Table
from bench.leaderboards.board import Score
from bench.leaderboards.formats.board_texts import title, with_texts
from bench.leaderboards.formats.columns import columns, may_be_best, score_text
from bench.leaderboards.formats.notes import notes
from bench.leaderboards.formats.tables import published_table

if TYPE_CHECKING:
    from bench.leaderboards.board import Board
    from bench.leaderboards.formats.columns import Column

Detail = Literal["interval", "deviation", "mean"]
"""How much of a score is shown."""
_OPTIONAL = (
    "code",
    "training-memory",
    "gpu-hours",
    "training-seconds",
    "memory/24",
    "memory/1",
    "throughput",
    "macs",
    "latency/24",
    "price",
    "seeds",
    "test-seen",
    "origin",
    "latency/1",
    "parameters",
)
"""The columns of the first table that a narrow terminal leaves out, in this order."""


def terminal_text(board: Board) -> list[str | Table]:
    """Return the board for a terminal: scores and costs, test sets, other metrics, notes."""
    board = with_texts(board, shortened)
    everything = columns(board)
    published = published_table(board)
    elsewhere = f"Published elsewhere, not ranked ({board.primary.heading}):"
    return [
        f"{board.name} · protocol {board.protocol}",
        f"{title(board)}:",
        _main_table(board, everything),
        *_test_sets(board, everything),
        *_other_metrics(board, everything),
        *([elsewhere, published] if published else ()),
        *notes(board),
    ]


def _main_table(board: Board, everything: Sequence[Column]) -> Table:
    """Return ranks, the scores that rank, and costs."""
    kept = [column for column in everything if column.group not in ("test sets", "other metrics")]
    optional = [column.heading for key in _OPTIONAL for column in kept if column.key == key]
    return _table(board, kept, "interval", optional)


def _test_sets(board: Board, everything: Sequence[Column]) -> Iterator[str | Table]:
    """Yield the scores by the ranking metric on each of several test sets."""
    kept = [column for column in everything if column.group == "test sets"]
    if kept:
        title = board.primary.heading
        yield f"{title} by test set:"
        # The title has the metric.
        named = [
            replace(column, heading=column.heading.removeprefix(f"{title} ")) for column in kept
        ]
        summaries = [
            column for column in named if column.key.partition("/")[2] not in board.column_names
        ]
        optional = [*summaries, *reversed([column for column in named if column not in summaries])]
        shown = [everything[1], *named]
        headings = [column.heading for column in optional]
        briefest = _table(board, shown, "mean", headings, ["deviations", "intervals"])
        briefer = _table(board, shown, "deviation", headings, ["intervals"], briefest)
        yield _table(board, shown, "interval", headings, [], briefer)


def _other_metrics(board: Board, everything: Sequence[Column]) -> Iterator[str | Table]:
    """Yield the scores by other metrics: of several test sets on a narrow terminal the average."""
    kept = [column for column in everything if column.group == "other metrics"]
    if kept:
        yield "Other metrics:"
        ranking = next(column.key for column in everything if column.group == "score")
        place = ranking.partition("/")[2]
        averages = [column for column in kept if column.key.partition("/")[2] == place]
        by_set = ["test sets"] if len(averages) < len(kept) else []
        shown = [everything[1], *averages]
        headings = [column.heading for column in reversed(averages)]
        briefest = _table(board, shown, "mean", headings, [*by_set, "deviations", "intervals"])
        briefer = _table(board, shown, "deviation", headings, [*by_set, "intervals"], briefest)
        brief = _table(board, shown, "interval", headings, by_set, briefer)
        yield _table(board, [everything[1], *kept], "interval", [], [], brief) if by_set else brief


def _table(
    board: Board,
    shown: Sequence[Column],
    detail: Detail,
    optional: Sequence[str] = (),
    hidden: Sequence[str] = (),
    briefer: Table | None = None,
) -> Table:
    cells = [_cells(board, column, detail) for column in shown]
    rows = [[column[place] for column in cells] for place in range(len(board.rows))]
    right = [column.heading for column in shown if not column.is_text]
    return Table([column.heading for column in shown], rows, right, optional, hidden, briefer)


def _cells(board: Board, column: Column, detail: Detail) -> list[str]:
    if column.group == "entry":
        return [
            Styled(cell, "best") if may_be_best(row) else cell
            for row, cell in zip(board.rows, column.cells, strict=True)
        ]
    if column.metric is None or detail == "interval":
        return column.cells
    return [
        score_text(column.metric, value, deviation=detail == "deviation", interval=False)
        if isinstance(value, Score)
        else cell
        for value, cell in zip(column.values, column.cells, strict=True)
    ]
