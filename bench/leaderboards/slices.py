"""Scores on parts of a test set: the samples that agree in a property, such as their length."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from bench.leaderboards.board import SliceGroup
from bench.leaderboards.row_errors import LEVEL, errors_of, score_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from bench.evaluation.statistics.sample_errors import SampleErrors
    from bench.leaderboards.board import Board, BoardMetric, Row, Score
    from bench.leaderboards.samples.column_counts import ColumnCounts

DRAWS = 1_000
"""Bootstrap draws: the ends of a 95 % interval vary by 3 % of its width between random seeds."""


def with_slices(board: Board, counts: Mapping[str, ColumnCounts]) -> Board:
    """Return `board` with the parts of its test sets, and the score of each row on each of them.

    Scores are by the metric that ranks, with their 95 % intervals.
    """
    from bench.leaderboards.samples.properties import groups

    columns = list(board.columns)
    of_rows: list[dict[str, dict[str, list[Score | None]]]] = [{} for _ in board.rows]
    for place, column in enumerate(columns):
        if column.name not in counts:
            continue
        members = groups(counts[column.name])
        columns[place] = replace(
            column,
            slices={
                name: [SliceGroup(label, int(where.sum())) for label, where in each.items()]
                for name, each in members.items()
            },
        )
        keys = [_keys(row, column.name) for row in board.rows]
        for name, each in members.items():
            for where in each.values():
                scores = _scores(board.primary, counts[column.name], where, keys)
                for scored, score in zip(of_rows, scores, strict=True):
                    scored.setdefault(column.name, {}).setdefault(name, []).append(score)
    rows = [
        replace(row, slices={name: each for name, each in scored.items() if _any(each)})
        for row, scored in zip(board.rows, of_rows, strict=True)
    ]
    return replace(board, columns=columns, rows=rows)


def _keys(row: Row, column: str) -> list[str]:
    return [each.evaluations[column] for each in row.seeds if column in each.evaluations]


def _scores(
    metric: BoardMetric,
    counts: ColumnCounts,
    where: NDArray[np.bool_],
    keys: list[list[str]],
) -> list[Score | None]:
    """Return the score of each row on the samples `where`; None without an evaluation."""
    from bench.evaluation.statistics.significance import rate_intervals

    part = counts.part(metric.name, where)
    errors = [errors_of(metric, part, each) for each in keys]
    present = [each for each in errors if each is not None]
    around = iter(rate_intervals(present, LEVEL, DRAWS))
    return [
        None if each is None else score_of(metric, _values(metric, each), next(around))
        for each in errors
    ]


def _values(metric: BoardMetric, errors: SampleErrors) -> list[float]:
    """Return the value of the metric of each seed."""
    below = int(errors.denominators.sum())
    wrong = [int(each) for each in errors.errors.sum(axis=1)]
    return [(below - each if metric.higher_is_better else each) / below for each in wrong]


def _any(slices: Mapping[str, list[Score | None]]) -> bool:
    return any(score is not None for scores in slices.values() for score in scores)
