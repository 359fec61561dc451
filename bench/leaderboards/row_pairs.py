"""Pairwise comparisons of the rows of a board."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.leaderboards.comparison import Outcome, outcome_of, signed_difference
from bench.leaderboards.ranking import errors_of_row, is_complete

if TYPE_CHECKING:
    from bench.leaderboards.board import Board
    from bench.leaderboards.samples.column_counts import ColumnCounts

MAX_COMPARED_ROWS = 100
"""Boards with more complete rows get no comparisons: 4,950 pairs take 10 s."""


@dataclass(frozen=True)
class RowComparison:
    """Row B compared with row A, by the ranking metric on the board's average.

    Attributes:
        a: Hash of the entry that is higher on the board.
        b: Hash of the other entry.
        difference: The average of B minus that of A, as a fraction.
        low: Lower end of the 95 % interval of the difference.
        high: Upper end of the interval.
        p: Two-sided p-value of the difference.
        outcome: Whether B is better, worse, or no difference is shown.
    """

    a: str
    b: str
    difference: float
    low: float
    high: float
    p: float
    outcome: Outcome


def row_comparisons(board: Board, counts: Mapping[str, ColumnCounts]) -> list[RowComparison]:
    """Compare all pairs of complete rows of a board, as `bench compare` does, in order of rows.

    Args:
        board: The board.
        counts: The counts of its evaluations, by column.

    Returns:
        The comparisons; none if the board has more than `MAX_COMPARED_ROWS` complete rows.
    """
    from bench.evaluation.statistics.averages import average_weights_from_counts
    from bench.evaluation.statistics.paired_averages import compare_pairs

    metric = board.ranking_metric
    complete = []
    for row in board.rows:
        errors = errors_of_row(metric, row, board, counts)
        if is_complete(errors, row, board):
            complete.append((row.entry, [errors[column] for column in board.column_names]))
    if not 1 < len(complete) <= MAX_COMPARED_ROWS:
        return []
    entries, rows = zip(*complete, strict=True)
    weights = average_weights_from_counts(
        [len(test.denominators) for test in rows[0]], board.average
    )
    return [
        RowComparison(
            entries[each.first],
            entries[each.second],
            *signed_difference(metric, each.compared),
            each.compared.p,
            outcome_of(each.compared),
        )
        for each in compare_pairs(rows, weights)
    ]
