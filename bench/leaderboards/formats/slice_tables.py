"""The scores of a board by a property of the samples, as tables for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.core.errors import BenchError, Exit, did_you_mean
from bench.core.printable import shortened
from bench.core.text_table import Table
from bench.leaderboards.formats.board_texts import with_changed_texts
from bench.leaderboards.formats.columns import score_text

if TYPE_CHECKING:
    from bench.leaderboards.board import Board, BoardColumn


def slice_blocks(board: Board, by: str) -> list[str | Table]:
    """Return one table per test set, with one column per group of samples.

    Args:
        board: The board.
        by: The property, such as `length`.

    Raises:
        BenchError: No test set has the property (nothing).
    """
    names = dict.fromkeys(name for column in board.columns for name in column.slices)
    if by not in names:
        remedy = did_you_mean(by, names) if names else "; it has no scores by groups of samples"
        raise BenchError(
            f"'{by}' is not a property of samples on {board.name}{remedy}", Exit.NOTHING
        )
    board = with_changed_texts(board, shortened)
    heading = board.ranking_metric.heading
    parts: list[str | Table] = []
    for column in board.columns:
        if by in column.slices:
            parts += [f"{heading} on {shortened(column.label)} by {by}:", _table(board, column, by)]
    return parts


def _table(board: Board, column: BoardColumn, by: str) -> Table:
    groups = column.slices[by]
    headings = [f"{shortened(group.name)} (n = {group.samples:,})" for group in groups]
    rows = []
    for row in board.rows:
        scores = row.slices.get(column.name, {}).get(by, [None] * len(groups))
        cells = [score_text(board.ranking_metric, score) for score in scores]
        rows.append([row.label, *cells])
    return Table(["entry", *headings], rows, headings, headings[::-1])
