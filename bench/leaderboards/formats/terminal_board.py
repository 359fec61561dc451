"""A board as paragraphs and tables for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from bench.core.printable import shortened
from bench.core.text_table import Styled, Table
from bench.leaderboards.board import Score
from bench.leaderboards.formats.board_texts import scores_heading, with_changed_texts
from bench.leaderboards.formats.columns import board_columns, may_be_best, score_text
from bench.leaderboards.formats.notes import board_notes
from bench.leaderboards.formats.tables import published_table

if TYPE_CHECKING:
    from bench.leaderboards.board import Board
    from bench.leaderboards.formats.columns import Column

Detail = Literal["interval", "deviation", "mean"]
"""The parts of a score: `interval` has all, `deviation` mean and deviation."""
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
"""The columns of the first table that are left out on a narrow terminal, in this order."""


def terminal_blocks(board: Board) -> list[str | Table]:
    """Return the blocks of a board: scores and costs, test sets, other metrics, notes."""
    board = with_changed_texts(board, shortened)
    everything = board_columns(board)
    published = published_table(board)
    elsewhere = f"Published elsewhere, not ranked ({board.ranking_metric.heading}):"
    return [
        f"{board.name} · protocol {board.protocol}",
        f"{scores_heading(board)}:",
        _main_table(board, everything),
        *_test_sets(board, everything),
        *_other_metrics(board, everything),
        *([elsewhere, published] if published else ()),
        *board_notes(board),
    ]


def _main_table(board: Board, everything: Sequence[Column]) -> Table:
    """Return the table of ranks, the scores that rank, and costs."""
    main = [column for column in everything if column.group not in ("test sets", "other metrics")]
    optional = [column.heading for key in _OPTIONAL for column in main if column.key == key]
    return _table(board, main, "interval", optional)


def _test_sets(board: Board, everything: Sequence[Column]) -> Iterator[str | Table]:
    """Yield the scores by the ranking metric on each of several test sets."""
    by_test = [column for column in everything if column.group == "test sets"]
    if by_test:
        title = board.ranking_metric.heading
        yield f"{title} by test set:"
        # The metric is left out of the headings, because the title has it.
        scores = [
            replace(column, heading=column.heading.removeprefix(f"{title} ")) for column in by_test
        ]
        summaries = [
            column for column in scores if column.key.partition("/")[2] not in board.column_names
        ]
        optional = [*summaries, *reversed([column for column in scores if column not in summaries])]
        table_columns = [everything[1], *scores]
        headings = [column.heading for column in optional]
        briefest = _table(board, table_columns, "mean", headings, ["deviations", "intervals"])
        briefer = _table(board, table_columns, "deviation", headings, ["intervals"], briefest)
        yield _table(board, table_columns, "interval", headings, [], briefer)


def _other_metrics(board: Board, everything: Sequence[Column]) -> Iterator[str | Table]:
    """Yield the scores by other metrics; on a narrow terminal only their averages."""
    others = [column for column in everything if column.group == "other metrics"]
    if others:
        yield "Other metrics:"
        ranking = next(column.key for column in everything if column.group == "score")
        average = ranking.partition("/")[2]
        averages = [column for column in others if column.key.partition("/")[2] == average]
        by_set = ["test sets"] if len(averages) < len(others) else []
        brief = [everything[1], *averages]
        headings = [column.heading for column in reversed(averages)]
        means = _table(board, brief, "mean", headings, [*by_set, "deviations", "intervals"])
        deviations = _table(board, brief, "deviation", headings, [*by_set, "intervals"], means)
        table = _table(board, brief, "interval", headings, by_set, deviations)
        yield (
            _table(board, [everything[1], *others], "interval", [], [], table) if by_set else table
        )


def _table(
    board: Board,
    table_columns: Sequence[Column],
    detail: Detail,
    optional: Sequence[str] = (),
    hidden: Sequence[str] = (),
    briefer: Table | None = None,
) -> Table:
    cells = [_cells(board, column, detail) for column in table_columns]
    rows = [[column[index] for column in cells] for index in range(len(board.rows))]
    right = [column.heading for column in table_columns if not column.is_text]
    headings = [column.heading for column in table_columns]
    return Table(headings, rows, right, optional, hidden, briefer)


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
