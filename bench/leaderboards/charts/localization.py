"""The share of blank frames against the score: how peaked the paths of an entry are."""

from __future__ import annotations

from statistics import fmean
from typing import TYPE_CHECKING

from bench.leaderboards.charts.drawing import (
    WIDTH,
    Box,
    Drawing,
    line,
    marker,
    placed_labels,
    row_group,
    series_style,
    x_axis,
    y_axis,
)
from bench.leaderboards.charts.panels import Palette
from bench.leaderboards.charts.scales import linear
from bench.leaderboards.charts.scores import limits, shown
from bench.leaderboards.charts.svg import fitted
from bench.leaderboards.formats.columns import main_score, score_text

if TYPE_CHECKING:
    from bench.leaderboards.board import Board

_HEIGHT = 400.0
_PERCENT = 100.0


def blank_accuracy(board: Board) -> str | None:
    """Draw the score of each row against the share of frames that it reads as blank."""
    points = [
        (row, fmean(ratios), score)
        for row in board.rows
        if (ratios := [ratio for seed in row.seeds for ratio in seed.blank_ratios.values()])
        and (score := main_score(board, row, board.ranked_by))
    ]
    if len(points) < 2:
        return None
    metric, palette = board.primary, Palette([row for row, _, _ in points])
    drawing = Drawing(
        f"{metric.title} against the share of blank frames",
        f"Each entry of {board.name} at the share of frames whose best class is blank, averaged "
        f"over seeds and test sets, and its {metric.title} with the 95 % interval.",
        _HEIGHT,
    )
    left, right, top, bottom = 60.0, WIDTH - 24, 66.0, _HEIGHT - 52
    x = linear([_PERCENT * ratio for _, ratio, _ in points], left, right, low=0, high=100)
    ends = [shown(metric, end) for _, _, score in points for end in (score.low, score.high)]
    y = linear(ends, bottom, top, **limits(metric))
    drawing.add(x_axis(x, top, bottom, "blank frames %"), y_axis(y, left, right, metric.heading))
    places = []
    for row, ratio, score in points:
        series = palette.series(row)
        across, up = x(_PERCENT * ratio), y(shown(metric, score.mean))
        places.append((across, up, fitted(row.label, 190.0)))
        low, high = (y(shown(metric, end)) for end in (score.low, score.high))
        title = (
            f"{row.label}: {_PERCENT * ratio:.1f} % of frames are blank, {metric.heading} "
            f"{score_text(metric, score)}"
        )
        style = "quiet" if series is None else series_style(series)
        drawing.add(
            row_group(
                row.entry,
                title,
                style,
                line(across, low, across, high, "bar stroke faint"),
                marker(across, up, series or 0),
            )
        )
    area = Box(left, top - 12, right + 20, bottom)
    drawing.add(*placed_labels(places, [(across, up) for across, up, _ in places], area))
    return drawing.document()
