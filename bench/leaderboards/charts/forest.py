"""Intervals of scores and ranks, one line per row (a forest plot)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.leaderboards.charts.drawing import (
    RIGHT,
    WIDTH,
    Drawing,
    label,
    legend,
    line,
    marker,
    row_group,
    x_axis,
)
from bench.leaderboards.charts.scales import Scale
from bench.leaderboards.charts.scores import capitalized, displayed_value, score_scale
from bench.leaderboards.charts.svg import fit_text
from bench.leaderboards.formats.columns import board_columns, main_score

if TYPE_CHECKING:
    from bench.leaderboards.board import Board

_LINE = 22.0
_NAMES, _SCORES, _GAP = 210.0, 500.0, 36.0
"""Right end of the names, right end of the scores, and space between scores and ranks."""
_MIN_ROWS, _TICKS = 2, 8
_LEGEND = [("may be the best: rank interval includes 1", "c0", 0), ("others", "quiet", 0)]


def rank_intervals(board: Board) -> str | None:
    """Draw the score with its interval, and the rank interval, of each row that has a rank."""
    metric = board.ranking_metric
    rows = [
        (index, row, score, row.rank_interval)
        for index, row in enumerate(board.rows)
        if row.rank_interval and (score := main_score(board, row, board.ranked_by))
    ]
    if len(rows) < _MIN_ROWS:
        return None
    key, top = legend(_LEGEND, 16, 36, WIDTH - 16)
    top += 22
    bottom = top + _LINE * len(rows)
    drawing = Drawing(
        capitalized(f"{metric.title} and rank of each entry"),
        f"For each entry of {board.name}: its {metric.title} with the 95 % interval, and the "
        "ranks that it may have; all pairs of entries are compared together at 5 %.",
        bottom + 54,
    )
    scores = [score for _, _, score, _ in rows]
    across = score_scale(metric, scores, _NAMES + 16, _SCORES, count=5)
    best = Scale(1, len(rows), _SCORES + _GAP, RIGHT, rank_ticks(len(rows)))
    drawing.add(key, x_axis(across, top - 6, bottom, f"{metric.heading}, 95 % interval"))
    drawing.add(x_axis(best, top - 6, bottom, "rank interval"))
    heading, rank = (
        next(column for column in board_columns(board) if column.group == "score"),
        next(column for column in board_columns(board) if column.key == "rank"),
    )
    for number, (index, row, score, interval) in enumerate(rows):
        y = top + _LINE * (number + 0.5)
        style = "c0" if interval.best == 1 else "quiet"
        title = f"{row.label}: {heading.heading} {heading.cells[index]}, rank {rank.cells[index]}"
        low, mean, high = (
            across(displayed_value(metric, value)) for value in (score.low, score.mean, score.high)
        )
        drawing.add(
            row_group(
                row.entry,
                title,
                style,
                label(_NAMES, y + 4, fit_text(row.label, _NAMES - 16), anchor="end"),
                line(low, y, high, y, "bar stroke"),
                marker(mean, y),
                line(best(interval.best), y, best(interval.worst), y, "bar stroke"),
                *(marker(best(end), y, 1, 4.0) for end in sorted({interval.best, interval.worst})),
            )
        )
    return drawing.document()


def rank_ticks(count: int) -> tuple[float, ...]:
    """Return the ranks at which an axis of ranks from 1 to `count` has ticks."""
    step = max(1, -(-count // _TICKS))
    between = [float(rank) for rank in range(1, count, step) if count - rank >= step]
    return (*dict.fromkeys([*between, float(count)]),)
