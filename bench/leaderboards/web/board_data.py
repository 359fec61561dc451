"""The data of the HTML page of a board, as JSON values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from bench.core.documents import changed_texts
from bench.core.printable import shortened
from bench.leaderboards.board import Ranks, Score
from bench.leaderboards.formats.columns import (
    AVERAGES,
    MAIN_COSTS,
    board_columns,
    p_text,
    score_text,
    signed_text,
)

if TYPE_CHECKING:
    from bench.leaderboards.board import Board, Row, SeedResult
    from bench.leaderboards.formats.columns import Column, Value
    from bench.leaderboards.samples.column_counts import ColumnCounts

_MAX_CURVE_POINTS = 60
_DIGITS = 5


def board_data(board: Board, counts: Mapping[str, ColumnCounts]) -> dict[str, Any]:
    """Return all data of the page of a board, with printable texts.

    Args:
        board: The board.
        counts: The counts of its evaluations, by column.
    """
    metric = board.ranking_metric
    data = {
        "name": board.name,
        "suite": board.suite,
        "average": AVERAGES[board.average] if len(board.columns) > 1 else "",
        "metric": {
            "heading": metric.heading,
            "title": metric.title,
            "higherIsBetter": metric.higher_is_better,
        },
        "tests": [
            {
                "name": column.name,
                "label": column.label,
                "samples": column.samples,
                "excluded": column.excluded,
                "slices": {
                    by: [[group.name, group.samples] for group in groups]
                    for by, groups in column.slices.items()
                },
            }
            for column in board.columns
        ],
        "columns": [_column_data(board, column) for column in board_columns(board)],
        "rows": [_row_data(board, row) for row in board.rows],
        "pairs": _pair_data(board, counts),
    }
    return cast("dict[str, Any]", changed_texts(data, shortened))


def _column_data(board: Board, column: Column) -> dict[str, Any]:
    higher = {metric.name: metric.higher_is_better for metric in board.metrics}
    metric, _, test = column.key.partition("/")
    is_own_test = metric == board.ranked_by and test in board.column_names
    # Rows are sorted by their averages; the bounds of rank intervals may have another order.
    values = [row.rank for row in board.rows] if column.key == "rank" else column.values
    return {
        "key": column.key,
        "heading": column.heading,
        "about": column.about,
        "group": column.group,
        "isText": column.is_text,
        "test": test if test in board.column_names and metric in higher else None,
        "higherIsBetter": higher.get(metric),
        "shown": column.group in ("entry", "score") or is_own_test or column.key in MAIN_COSTS,
        "cells": column.cells,
        "values": [_sort_value(value) for value in values],
    }


def _sort_value(value: Value) -> Any:  # noqa: ANN401 (JSON)
    """Return the value by which rows are sorted; for a score, also the ends of its interval."""
    match value:
        case Score():
            return [value.mean, value.low, value.high]
        case Ranks():
            return value.best
        case _:
            return value


def _row_data(board: Board, row: Row) -> dict[str, Any]:
    metric = board.ranking_metric
    tuning = row.tuning
    facts = {
        "Model" if row.origin == "trained" else "Recognizer": row.model,
        "Loss": row.loss,
        "Decoder": row.decoder,
        "Input": row.input,
        "Trained on": "not stated" if row.train is None else "; ".join(row.train),
        "May have seen": ", ".join(row.may_have_seen),
        "Recipe": ", ".join(f"{key} = {value}" for key, value in row.recipe.items()),
        "Tuned by": "" if tuning is None else str(tuning),
        "Hardware": "; ".join(row.hardware),
        "Commits": ", ".join(row.revisions),
        "Remarks": ", ".join(f"{count} {kind}" for kind, count in row.remarks.items()),
    }
    return {
        "entry": row.entry,
        "label": row.label,
        "origin": row.origin,
        "model": _component_name(row.model),
        "loss": _component_name(row.loss),
        "facts": {name: fact for name, fact in facts.items() if fact},
        "seeds": [_seed_data(result) for result in row.seeds],
        "missing": [[each.seed, each.column, each.why] for each in row.missing],
        "slices": {
            test: {
                by: [
                    None
                    if score is None
                    else [score_text(metric, score), score.mean, score.low, score.high]
                    for score in scores
                ]
                for by, scores in by_property.items()
            }
            for test, by_property in row.slices.items()
        },
    }


def _component_name(name: str) -> str:
    """Return the name of a component without its parameters."""
    return name.partition("(")[0]


def _seed_data(result: SeedResult) -> dict[str, Any]:
    return {
        "seed": result.seed,
        "trainings": result.trainings,
        "evaluations": result.evaluations,
        "curves": {
            key: [
                [round(point.epoch, _DIGITS), round(point.label_error_rate, _DIGITS)]
                for point in points[:: 1 + len(points) // _MAX_CURVE_POINTS]
            ]
            for key, points in result.curves.items()
        },
    }


def _pair_data(board: Board, counts: Mapping[str, ColumnCounts]) -> list[list[Any]]:
    """Return each pair of rows: the indices of both, then the displayed comparison."""
    from bench.leaderboards.row_pairs import row_comparisons

    metric = board.ranking_metric
    indices = {row.entry: index for index, row in enumerate(board.rows)}
    return [
        [
            indices[pair.a],
            indices[pair.b],
            signed_text(metric, pair.difference),
            f"[{signed_text(metric, pair.low)}, {signed_text(metric, pair.high)}]",
            p_text(pair.p),
            pair.outcome,
        ]
        for pair in row_comparisons(board, counts)
    ]
