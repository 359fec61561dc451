"""Scores, intervals and ranks of a board, computed from the counts of its samples alone."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bench.core.errors import BenchError, Exit
from bench.core.printable import quoted
from bench.leaderboards import slices
from bench.leaderboards.board import Ranks, Score
from bench.leaderboards.row_errors import CONFIDENCE_LEVEL, errors_by_seed, score_over_seeds

if TYPE_CHECKING:
    from bench.config.suite import Average
    from bench.evaluation.statistics.sample_errors import SampleErrors
    from bench.leaderboards.board import Board, BoardMetric, Row
    from bench.leaderboards.samples.column_counts import ColumnCounts

MAX_TIE_DIFFERENCE = 1e-12
"""Averages that differ by less are tied: the difference is due to rounding."""


@dataclass(frozen=True)
class _MetricScores:
    """The scores of one row by one metric; ranks are by the board's average."""

    columns: dict[str, Score]
    averages: dict[Average, Score]
    rank_interval: Ranks | None = None
    leave_one_out: Ranks | None = None


def with_scores(board: Board, counts: Mapping[str, ColumnCounts]) -> Board:
    """Return `board` with scores, averages and ranks computed from the counts, and rows by rank.

    Args:
        board: A board whose rows have their seeds and the keys of their evaluations.
        counts: The counts of these evaluations, by column.

    Raises:
        BenchError: The counts of a test set with evaluations are missing (unverified).
    """
    rows = [_with_seed_scores(row, board, counts) for row in board.rows]
    by_metric = {
        metric.name: _metric_scores(metric, rows, board, counts) for metric in board.metrics
    }
    primary = by_metric[board.ranked_by]
    complete = [
        replace(
            row,
            rank=None,
            rank_interval=primary[index].rank_interval,
            leave_one_out=primary[index].leave_one_out,
            scores={
                name: of_rows[index].columns
                for name, of_rows in by_metric.items()
                if of_rows[index].columns
            },
            averages={
                name: of_rows[index].averages
                for name, of_rows in by_metric.items()
                if of_rows[index].averages
            },
        )
        for index, row in enumerate(rows)
    ]
    return slices.with_slices(replace(board, rows=_with_ranks(complete, board)), counts)


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


def _metric_scores(
    metric: BoardMetric, rows: Sequence[Row], board: Board, counts: Mapping[str, ColumnCounts]
) -> list[_MetricScores]:
    """Return the scores of each row by one metric; complete rows share bootstrap draws."""
    errors = [errors_of_row(metric, row, board, counts) for row in rows]
    complete = [is_complete(each, row, board) for each, row in zip(errors, rows, strict=True)]
    complete_scores = iter(
        _scores_of_complete_rows(
            metric,
            [each for each, is_whole in zip(errors, complete, strict=True) if is_whole],
            [row for row, is_whole in zip(rows, complete, strict=True) if is_whole],
            board,
        )
        if any(complete)
        else ()
    )
    return [
        next(complete_scores) if is_whole else _scores_of_incomplete_row(metric, each, row, board)
        for each, row, is_whole in zip(errors, rows, complete, strict=True)
    ]


def errors_of_row(
    metric: BoardMetric, row: Row, board: Board, counts: Mapping[str, ColumnCounts]
) -> dict[str, SampleErrors]:
    """Return the per-sample errors of a row by test set, over the seeds that have a score there.

    Raises:
        BenchError: The counts of such a test set are missing (unverified).
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
        each = errors_by_seed(metric, counts[column], keys) if keys else None
        if each is not None:
            errors[column] = each
    return errors


def is_complete(errors: Mapping[str, SampleErrors], row: Row, board: Board) -> bool:
    """Return whether every seed of a row has errors on every test set."""
    seeds = [len(errors[column].errors) for column in board.column_names if column in errors]
    return bool(row.seeds) and seeds == [len(row.seeds)] * len(board.columns)


def _scores_of_incomplete_row(
    metric: BoardMetric, errors: Mapping[str, SampleErrors], row: Row, board: Board
) -> _MetricScores:
    """Return the scores on the test sets that a row has, without averages and ranks."""
    from bench.evaluation.statistics.significance import rate_interval

    return _MetricScores(
        {
            column: score_over_seeds(
                metric,
                _seed_values(metric, row, column),
                rate_interval(each, CONFIDENCE_LEVEL, seed=t),
            )
            for t, column in enumerate(board.column_names)
            if (each := errors.get(column)) is not None
        },
        {},
    )


def _scores_of_complete_rows(
    metric: BoardMetric,
    errors: Sequence[Mapping[str, SampleErrors]],
    rows: Sequence[Row],
    board: Board,
) -> list[_MetricScores]:
    """Return the scores of rows that have all test sets, with averages and ranks."""
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
    for row, intervals in zip(rows, compare_entries(sets, ranked, CONFIDENCE_LEVEL), strict=True):
        values = [_seed_values(metric, row, column) for column in board.column_names]
        averages: dict[Average, Score] = {}
        for name, set_weight in weights.items():
            by_seed = [
                math.fsum(map(_product, set_weight, of_seed))
                for of_seed in zip(*values, strict=True)
            ]
            interval = intervals.weighted if name == "weighted" else intervals.mean
            averages[name] = score_over_seeds(metric, by_seed, interval)
        scores.append(
            _MetricScores(
                {
                    column: score_over_seeds(metric, of_seeds, interval)
                    for column, of_seeds, interval in zip(
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


def _with_ranks(rows: Sequence[Row], board: Board) -> list[Row]:
    """Return the rows by rank, followed by those without an average, which have no rank."""
    sign = -1 if board.ranking_metric.higher_is_better else 1

    def average(row: Row) -> float:
        score = row.averages.get(board.ranked_by, {}).get(board.average)
        return math.inf if score is None else sign * score.mean

    ordered = sorted(rows, key=lambda row: (round(average(row), 12), row.label, row.entry))
    ranked: list[Row] = []
    for row in ordered:
        if math.isinf(average(row)):
            ranked.append(row)
            continue
        better = sum(average(other) < average(row) - MAX_TIE_DIFFERENCE for other in ordered)
        ranked.append(replace(row, rank=1 + better))
    return ranked
