"""The tables of a board: a row per entry, a column per test set, average and cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import UNSET

from bench.core import text_table
from bench.core.text_table import Table
from bench.leaderboards.formats.columns import (
    AVERAGES,
    NOTHING,
    SHARED,
    TEST_SEEN,
    as_range,
    profiled_on_gpu,
    ranks,
    score_text,
)
from bench.leaderboards.speed import THROUGHPUT
from bench.profiling.method import BATCHES

if TYPE_CHECKING:
    from bench.leaderboards.board import Board, BoardMetric, Row

_ROW_HEADERS = ("rank", "entry")
_LEFT = (*_ROW_HEADERS, "code", "origin", TEST_SEEN)
"""The headers of the columns that are flush left."""
_MIN_SETS = 2


def primary_table(board: Board) -> Table:
    """Return ranks, scores by the ranking metric, and costs."""
    metric, several = board.primary, len(board.columns) >= _MIN_SETS
    headers = [*_ROW_HEADERS]
    headers += [*board.column_names, *AVERAGES.values()] if several else [metric.heading]
    headers += ["one set left out"] if several else []
    profiled = any(row.speed for row in board.rows)
    outside = any(row.origin != "trained" for row in board.rows)
    priced = any(row.price is not None for row in board.rows)
    headers += ["origin", TEST_SEEN] if outside else []
    headers += ["seeds", "parameters"]
    headers += ["MACs", *(f"ms b{batch}" for batch in BATCHES)] if profiled else []
    on_gpu = profiled_on_gpu(board)
    headers += ["$ per 1,000"] if priced else []
    headers += [THROUGHPUT, *(f"MiB b{batch}" for batch in BATCHES)] if on_gpu else []
    trained_on_gpu = any(row.gpu_hours is not None for row in board.rows)
    headers += ["training s", *(["GPU h", "training MiB"] if trained_on_gpu else []), "code"]
    rows = []
    for row in board.rows:
        cells = [ranks(row), row.label, *_scores(board, row, metric)]
        cells += [str(row.leave_one_out or NOTHING)] if several else []
        cells += [row.origin, _test_seen(row)] if outside else []
        cells += [_seeds(board, row), as_range(f"{count:,}" for count in row.parameters)]
        cells += _speed(row) if profiled else []
        cells += [NOTHING if row.price is None else f"{row.price:.3f}"] if priced else []
        cells += _speed_on_gpu(row) if on_gpu else []
        cells += [_training_seconds(row), *(_gpu_cost(row) if trained_on_gpu else [])]
        rows.append([*cells, ", ".join(row.revisions) or NOTHING])
    return Table(headers, rows, [header for header in headers if header not in _LEFT])


def other_table(board: Board) -> Table | None:
    """Return the scores by the other metrics that any row has, or None without any."""
    metrics = [
        metric
        for metric in board.metrics
        if metric.name != board.ranked_by and any(row.scores.get(metric.name) for row in board.rows)
    ]
    if not metrics:
        return None
    headers = [*_ROW_HEADERS]
    for metric in metrics:
        if len(board.columns) < _MIN_SETS:
            headers.append(metric.heading)
        else:
            places = [*board.column_names, *AVERAGES.values()]
            headers += [f"{metric.heading} {place}" for place in places]
    rows = [
        [ranks(row), row.label] + [c for metric in metrics for c in _scores(board, row, metric)]
        for row in board.rows
    ]
    return Table(headers, rows, [header for header in headers if header not in _LEFT])


def published_table(board: Board) -> Table | None:
    """Return the figures that others state of the test sets, or None without any."""
    if not board.published:
        return None
    metric = board.primary.heading
    several = len(board.columns) >= _MIN_SETS
    names = board.column_names if several else [metric]
    noted = any(each.note for each in board.published)
    rows = [
        [
            each.label,
            *(
                f"{each.scores[column]:.2f}" if column in each.scores else NOTHING
                for column in board.column_names
            ),
            text_table.Markup(each.source),
            *([text_table.Markup(each.note or NOTHING)] if noted else []),
        ]
        for each in board.published
    ]
    return Table(["published", *names, "source", *(["note"] if noted else [])], rows, names)


def _scores(board: Board, row: Row, metric: BoardMetric) -> list[str]:
    """Return the cells of one metric: each test set, then the averages where there are several."""
    scores, averages = row.scores.get(metric.name, {}), row.averages.get(metric.name, {})
    several = len(board.columns) >= _MIN_SETS
    cells = [score_text(metric, scores.get(column)) for column in board.column_names]
    if several:
        cells += [score_text(metric, averages.get(name)) for name in AVERAGES]
    return cells


def _test_seen(row: Row) -> str:
    """Return whether a test set may have been part of the training data."""
    return "not excluded" if row.may_have_seen else "no"


def _seeds(board: Board, row: Row) -> str:
    if row.origin != "trained":
        return NOTHING
    return f"{len(row.done(board.column_names))}/{len(board.seeds)}"


def _speed(row: Row) -> list[str]:
    """Return MACs and latencies; of several input shapes, the least and the largest."""
    speeds = [row.speed[column] for column in sorted(row.speed)]
    macs = sorted(speed.macs for speed in speeds if speed.macs is not None)
    cells = [as_range(map(text_table.magnitude, macs))]
    for batch in map(str, BATCHES):
        values = [speed.milliseconds.get(batch) for speed in speeds]
        shown = sorted(value for value in values if value is not None)
        cells.append(as_range(f"{value:.2f}" for value in shown))
    return cells


def _speed_on_gpu(row: Row) -> list[str]:
    """Return throughput and memory; of several input shapes, the least and the largest."""
    speeds = [row.speed[column] for column in sorted(row.speed)]
    rates = [each.samples_per_second for each in speeds if each.samples_per_second is not UNSET]
    cells = [as_range(f"{rate:,.0f}" for rate in sorted(rates))]
    memories = [each.memory for each in speeds if each.memory is not UNSET]
    for batch in map(str, BATCHES):
        peaks = sorted(memory[batch] for memory in memories if batch in memory)
        cells.append(as_range(map(text_table.mebibytes, peaks)))
    return cells


def _training_seconds(row: Row) -> str:
    seconds = row.training_seconds
    if seconds is None:
        return NOTHING
    return f"{seconds:.1f} {SHARED}" if row.shared_gpu else f"{seconds:.1f}"


def _gpu_cost(row: Row) -> list[str]:
    hours, memory = row.gpu_hours, row.training_memory
    return [
        NOTHING if hours is None else f"{hours:.2f}",
        NOTHING if memory is None else text_table.mebibytes(memory),
    ]
