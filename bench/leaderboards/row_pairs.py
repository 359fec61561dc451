"""Each two rows of a board compared: by how much one is better, and how surely."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.leaderboards.comparison import Outcome, outcome, signed_difference
from bench.leaderboards.ranking import errors_of_row, is_complete

if TYPE_CHECKING:
    from bench.leaderboards.board import Board
    from bench.leaderboards.samples.column_counts import ColumnCounts

MAX_ROWS = 100
"""Complete rows up to which pairs are computed: 4,950 pairs take 10 s."""


@dataclass(frozen=True)
class Pair:
    """Row B compared with row A, by the ranking metric on the board's average.

    Attributes:
        a: The hash of the entry that ranks higher on the board.
        b: The hash of the other entry.
        difference: The average of B less that of A, as a share.
        low: The lower end of its 95 % interval.
        high: Its upper end.
        p: The two-sided probability of such a difference if both were equal.
        outcome: What is shown of B.
    """

    a: str
    b: str
    difference: float
    low: float
    high: float
    p: float
    outcome: Outcome


def pairs(board: Board, counts: Mapping[str, ColumnCounts]) -> list[Pair]:
    """Compare each two complete rows of a board as `bench compare` does, in order of rows.

    Args:
        board: The board.
        counts: What its evaluations count, by column.

    Returns:
        The pairs; none of a board with more than `MAX_ROWS` complete rows, whose pairs nobody
        reads one by one.
    """
    from bench.evaluation.statistics.averages import average_weights_from_counts
    from bench.evaluation.statistics.paired_averages import compare_pairs

    metric = board.primary
    complete = []
    for row in board.rows:
        errors = errors_of_row(metric, row, board, counts)
        if is_complete(errors, row, board):
            complete.append((row.entry, [errors[column] for column in board.column_names]))
    if not 1 < len(complete) <= MAX_ROWS:
        return []
    entries, rows = zip(*complete, strict=True)
    weights = average_weights_from_counts(
        [len(test.denominators) for test in rows[0]], board.average
    )
    return [
        Pair(
            entries[each.first],
            entries[each.second],
            *signed_difference(metric, each.compared),
            each.compared.p,
            outcome(each.compared),
        )
        for each in compare_pairs(rows, weights)
    ]
