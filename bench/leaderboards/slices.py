"""Scores on groups of samples of a test set, such as those of the same length."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from bench.leaderboards.board import SliceGroup
from bench.leaderboards.row_errors import CONFIDENCE_LEVEL, errors_by_seed, score_over_seeds

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from bench.evaluation.statistics.sample_errors import SampleErrors
    from bench.leaderboards.board import Board, BoardMetric, Row, Score
    from bench.leaderboards.samples.column_counts import ColumnCounts

DRAWS = 1_000
"""Bootstrap draws: the ends of a 95 % interval vary by 3 % of its width between random seeds."""


def with_slices(board: Board, counts: Mapping[str, ColumnCounts]) -> Board:
    """Return `board` with the groups of samples of its test sets, and scores of rows on them.

    Scores are by the metric that ranks, with 95 % intervals.
    """
    from bench.leaderboards.samples.properties import sample_groups

    columns = list(board.columns)
    of_rows: list[dict[str, dict[str, list[Score | None]]]] = [{} for _ in board.rows]
    for index, column in enumerate(columns):
        if column.name not in counts:
            continue
        by_property = sample_groups(counts[column.name])
        columns[index] = replace(
            column,
            slices={
                name: [SliceGroup(label, int(mask.sum())) for label, mask in groups.items()]
                for name, groups in by_property.items()
            },
        )
        keys = [_evaluation_keys(row, column.name) for row in board.rows]
        for name, groups in by_property.items():
            for mask in groups.values():
                scores = _scores(board.ranking_metric, counts[column.name], mask, keys)
                for scored, score in zip(of_rows, scores, strict=True):
                    scored.setdefault(column.name, {}).setdefault(name, []).append(score)
    rows = [
        replace(row, slices={name: each for name, each in scored.items() if _has_score(each)})
        for row, scored in zip(board.rows, of_rows, strict=True)
    ]
    return replace(board, columns=columns, rows=rows)


def _evaluation_keys(row: Row, column: str) -> list[str]:
    return [each.evaluations[column] for each in row.seeds if column in each.evaluations]


def _scores(
    metric: BoardMetric,
    counts: ColumnCounts,
    mask: NDArray[np.bool_],
    keys: list[list[str]],
) -> list[Score | None]:
    """Return the score of each row on the samples where the mask is true; None without one."""
    from bench.evaluation.statistics.significance import rate_intervals

    part = counts.subset(metric.name, mask)
    errors = [errors_by_seed(metric, part, each) for each in keys]
    present = [each for each in errors if each is not None]
    row_intervals = iter(rate_intervals(present, CONFIDENCE_LEVEL, DRAWS))
    return [
        None
        if each is None
        else score_over_seeds(metric, _values(metric, each), next(row_intervals))
        for each in errors
    ]


def _values(metric: BoardMetric, errors: SampleErrors) -> list[float]:
    """Return the value of the metric for each seed."""
    below = int(errors.denominators.sum())
    wrong = [int(each) for each in errors.errors.sum(axis=1)]
    return [(below - each if metric.higher_is_better else each) / below for each in wrong]


def _has_score(slices: Mapping[str, list[Score | None]]) -> bool:
    return any(score is not None for scores in slices.values() for score in scores)
