"""Scores, intervals and ranks of a board, from the counts of its samples alone."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bench.core.errors import BenchError, Exit
from bench.core.printable import quoted
from bench.leaderboards import slices
from bench.leaderboards.board import Ranks, Score
from bench.leaderboards.row_errors import LEVEL, errors_of, score_of

if TYPE_CHECKING:
    from bench.config.suite import Average
    from bench.evaluation.statistics.sample_errors import SampleErrors
    from bench.leaderboards.board import Board, BoardMetric, Row
    from bench.leaderboards.samples.column_counts import ColumnCounts

TIE = 1e-12
"""Averages closer than this are equal: they differ by rounding."""


@dataclass(frozen=True)
class _MetricScores:
    """One metric of one row; `rank_interval` and `leave_one_out` are by the board's average."""

    columns: dict[str, Score]
    averages: dict[Average, Score]
    rank_interval: Ranks | None = None
    leave_one_out: Ranks | None = None


def scored(board: Board, counts: Mapping[str, ColumnCounts]) -> Board:
    """Return `board` with all that follows from the counts: scores, averages, ranks, order.

    Args:
        board: A board whose rows have their seeds and the keys of their evaluations.
        counts: What these evaluations count, by column.
    """
    rows = [_with_seed_scores(row, board, counts) for row in board.rows]
    by_metric = {metric.name: _of_metric(metric, rows, board, counts) for metric in board.metrics}
    primary = by_metric[board.ranked_by]
    complete = [
        replace(
            row,
            rank=None,
            rank_interval=primary[place].rank_interval,
            leave_one_out=primary[place].leave_one_out,
            scores={
                name: each[place].columns for name, each in by_metric.items() if each[place].columns
            },
            averages={
                name: each[place].averages
                for name, each in by_metric.items()
                if each[place].averages
            },
        )
        for place, row in enumerate(rows)
    ]
    return slices.with_slices(replace(board, rows=_ranked(complete, board)), counts)


def _with_seed_scores(row: Row, board: Board, counts: Mapping[str, ColumnCounts]) -> Row:
    results = []
    for result in row.seeds:
        scores: dict[str, dict[str, float]] = {}
        for metric in board.metrics:
            values = {
                column: value
                for column, key in sorted(result.evaluations.items())
                if column in counts
                and (value := counts[column].value(metric.name, key)) is not None
            }
            if values:
                scores[metric.name] = values
        results.append(replace(result, scores=scores))
    return replace(row, seeds=results)


def _of_metric(
    metric: BoardMetric, rows: Sequence[Row], board: Board, counts: Mapping[str, ColumnCounts]
) -> list[_MetricScores]:
    """Return the scores of each row; those of complete rows are computed together."""
    errors = [errors_of_row(metric, row, board, counts) for row in rows]
    complete = [is_complete(each, row, board) for each, row in zip(errors, rows, strict=True)]
    together = iter(
        _of_complete(
            metric,
            [each for each, whole in zip(errors, complete, strict=True) if whole],
            [row for row, whole in zip(rows, complete, strict=True) if whole],
            board,
        )
        if any(complete)
        else ()
    )
    return [
        next(together) if whole else _of_incomplete(metric, each, row, board)
        for each, row, whole in zip(errors, rows, complete, strict=True)
    ]


def errors_of_row(
    metric: BoardMetric, row: Row, board: Board, counts: Mapping[str, ColumnCounts]
) -> dict[str, SampleErrors]:
    """Return the errors on each test set that a row has a score on, over the seeds that have it.

    Raises:
        BenchError: There are no counts of such a test set (unverified).
    """
    errors = {}
    for column in board.column_names:
        keys = [
            result.evaluations[column]
            for result in row.seeds
            if column in result.scores.get(metric.name, {})
        ]
        if keys and column not in counts:
            raise BenchError(
                f"{board.name} lacks the samples of its test set {quoted(column)}; restore their "
                "file, for instance with `git restore`",
                Exit.UNVERIFIED,
            )
        each = errors_of(metric, counts[column], keys) if keys else None
        if each is not None:
            errors[column] = each
    return errors


def is_complete(errors: Mapping[str, SampleErrors], row: Row, board: Board) -> bool:
    """Return whether every seed of a row counts on every test set."""
    seeds = [len(errors[column].errors) for column in board.column_names if column in errors]
    return bool(row.seeds) and seeds == [len(row.seeds)] * len(board.columns)


def _of_incomplete(
    metric: BoardMetric, errors: Mapping[str, SampleErrors], row: Row, board: Board
) -> _MetricScores:
    """Return the scores on the test sets that a row has; without averages and ranks."""
    from bench.evaluation.statistics.significance import rate_interval

    return _MetricScores(
        {
            column: score_of(
                metric, _seed_values(metric, row, column), rate_interval(each, LEVEL, seed=t)
            )
            for t, column in enumerate(board.column_names)
            if (each := errors.get(column)) is not None
        },
        {},
    )


def _of_complete(
    metric: BoardMetric,
    errors: Sequence[Mapping[str, SampleErrors]],
    rows: Sequence[Row],
    board: Board,
) -> list[_MetricScores]:
    """Return the scores of rows that have all test sets, with their averages and ranks."""
    from bench.evaluation.statistics.averages import average_weights, compare_entries
    from bench.evaluation.statistics.sample_errors import SetErrors

    sets = [
        SetErrors(
            errors[0][column].denominators,
            tuple(row[column].errors for row in errors),
            errors[0][column].max_rate,
            errors[0][column].min_rate,
        )
        for column in board.column_names
    ]
    weights: dict[Average, list[float]] = {
        "weighted": average_weights(sets, "weighted"),
        "mean": average_weights(sets, "mean"),
    }
    scores = []
    ranked = board.average if metric.name == board.ranked_by else None
    for row, intervals in zip(rows, compare_entries(sets, ranked, LEVEL), strict=True):
        values = [_seed_values(metric, row, column) for column in board.column_names]
        averages: dict[Average, Score] = {}
        for name, shares in weights.items():
            by_seed = [math.fsum(map(_product, shares, each)) for each in zip(*values, strict=True)]
            around = intervals.weighted if name == "weighted" else intervals.mean
            averages[name] = score_of(metric, by_seed, around)
        scores.append(
            _MetricScores(
                {
                    column: score_of(metric, each, around)
                    for column, each, around in zip(
                        board.column_names, values, intervals.sets, strict=True
                    )
                },
                averages,
                Ranks(*intervals.rank_interval) if intervals.rank_interval else None,
                Ranks(*intervals.leave_one_out) if intervals.leave_one_out else None,
            )
        )
    return scores


def _product(a: float, b: float) -> float:
    return a * b


def _seed_values(metric: BoardMetric, row: Row, column: str) -> list[float]:
    scores = [result.scores.get(metric.name, {}) for result in row.seeds]
    return [values[column] for values in scores if column in values]


def _ranked(rows: Sequence[Row], board: Board) -> list[Row]:
    """Number the rows that have an average, and put the others below them."""
    sign = -1 if board.primary.higher_is_better else 1

    def average(row: Row) -> float:
        score = row.averages.get(board.ranked_by, {}).get(board.average)
        return math.inf if score is None else sign * score.mean

    ordered = sorted(rows, key=lambda row: (round(average(row), 12), row.label, row.entry))
    ranked: list[Row] = []
    for row in ordered:
        if math.isinf(average(row)):
            ranked.append(row)
            continue
        better = sum(average(other) < average(row) - TIE for other in ordered)
        ranked.append(replace(row, rank=1 + better))
    return ranked
