"""Intervals of scores and ranks, a line per row."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.leaderboards.charts.drawing import (
    WIDTH,
    Drawing,
    label,
    line,
    marker,
    row_group,
    x_axis,
)
from bench.leaderboards.charts.scales import Scale, linear
from bench.leaderboards.charts.scores import limits, shown
from bench.leaderboards.charts.svg import fitted
from bench.leaderboards.formats.columns import columns, main_score

if TYPE_CHECKING:
    from bench.leaderboards.board import Board

_LINE = 22.0
_NAMES, _SCORES, _GAP = 210.0, 500.0, 36.0
"""Where names end, where scores end, and how far ranks are from them."""


def ranks(board: Board) -> str | None:
    """Draw the interval of the score and of the rank of each row that has a rank."""
    metric = board.primary
    rows = [
        (place, row, score, row.rank_interval)
        for place, row in enumerate(board.rows)
        if row.rank_interval and (score := main_score(board, row, board.ranked_by))
    ]
    if len(rows) < 2:
        return None
    top = 72.0
    bottom = top + _LINE * len(rows)
    drawing = Drawing(
        f"{metric.title} and rank of each entry",
        f"For each entry of {board.name}: its {metric.title} with the 95 % interval, and the "
        "ranks that it may have, all pairs of entries compared together at 5 %.",
        bottom + 54,
    )
    ends = [shown(metric, end) for _, _, score, _ in rows for end in (score.low, score.high)]
    across = linear(ends, _NAMES + 16, _SCORES, **limits(metric), count=5)
    best = Scale(1, len(rows), _SCORES + _GAP, WIDTH - 28, rank_ticks(len(rows)))
    drawing.add(x_axis(across, top - 6, bottom, f"{metric.heading}, 95 % interval"))
    drawing.add(x_axis(best, top - 6, bottom, "rank interval"))
    heading, rank = (
        next(column for column in columns(board) if column.group == "score"),
        next(column for column in columns(board) if column.key == "rank"),
    )
    for number, (place, row, score, interval) in enumerate(rows):
        y = top + _LINE * (number + 0.5)
        # Only what may be the best is in color.
        style = "c0" if interval.best == 1 else "quiet"
        title = f"{row.label}: {heading.heading} {heading.cells[place]}, rank {rank.cells[place]}"
        low, mean, high = (
            across(shown(metric, value)) for value in (score.low, score.mean, score.high)
        )
        drawing.add(
            row_group(
                row.entry,
                title,
                style,
                label(_NAMES, y + 4, fitted(row.label, _NAMES - 16), anchor="end"),
                line(low, y, high, y, "bar stroke"),
                marker(mean, y),
                line(best(interval.best), y, best(interval.worst), y, "bar stroke"),
                *(marker(best(end), y, 1, 4.0) for end in sorted({interval.best, interval.worst})),
            )
        )
    return drawing.document()


def rank_ticks(count: int) -> tuple[float, ...]:
    """Return the first and the last rank, and some between them."""
    step = max(1, -(-count // 8))
    between = [float(rank) for rank in range(1, count, step) if count - rank >= step / 2]
    return (*dict.fromkeys([*between, float(count)]),)
