"""The score against the share of blank frames, which is high if the alignments are peaky."""

from __future__ import annotations

from statistics import fmean
from typing import TYPE_CHECKING

from bench.leaderboards.charts.drawing import (
    RIGHT,
    WIDTH,
    Box,
    Drawing,
    line,
    line_box,
    marker,
    marker_box,
    place_labels,
    row_group,
    series_style,
    x_axis,
    y_axis,
)
from bench.leaderboards.charts.panels import Palette
from bench.leaderboards.charts.scales import linear_scale
from bench.leaderboards.charts.scores import PERCENT, capitalized, displayed_value, score_scale
from bench.leaderboards.charts.svg import fit_text
from bench.leaderboards.formats.columns import main_score, score_text

if TYPE_CHECKING:
    from bench.leaderboards.board import Board

_HEIGHT = 400.0
_MIN_POINTS = 2
_FEW = 12
"""All points are labeled if there are at most this many, otherwise only those in color."""


def blank_accuracy(board: Board) -> str | None:
    """Draw the score of each row against the share of frames whose best class is blank."""
    points = [
        (row, fmean(ratios), score)
        for row in board.rows
        if (ratios := [ratio for seed in row.seeds for ratio in seed.blank_ratios.values()])
        and (score := main_score(board, row, board.ranked_by))
    ]
    if len(points) < _MIN_POINTS:
        return None
    metric, palette = board.ranking_metric, Palette([row for row, _, _ in points])
    drawing = Drawing(
        capitalized(f"{metric.title} against the share of blank frames"),
        f"Each entry of {board.name} at the share of frames whose best class is blank, averaged "
        f"over seeds and test sets, and its {metric.title} with the 95 % interval.",
        _HEIGHT,
    )
    left, right, top, bottom = 60.0, RIGHT, 66.0, _HEIGHT - 52
    x = linear_scale([PERCENT * ratio for _, ratio, _ in points], left, right, low=0, high=PERCENT)
    y = score_scale(metric, (score for _, _, score in points), bottom, top)
    drawing.add(x_axis(x, top, bottom, "blank frames %"), y_axis(y, left, right, metric.heading))
    labels, occupied = [], []
    for row, ratio, score in points:
        series = palette.series(row)
        across, up = x(PERCENT * ratio), y(displayed_value(metric, score.mean))
        low, high = (y(displayed_value(metric, end)) for end in (score.low, score.high))
        occupied += [marker_box(across, up), line_box(across, low, across, high)]
        if series is not None or len(points) <= _FEW:
            labels.append((across, up, fit_text(row.label, 190.0)))
        title = (
            f"{row.label}: {PERCENT * ratio:.1f} % of frames are blank, {metric.heading} "
            f"{score_text(metric, score)}"
        )
        style = "quiet" if series is None else series_style(series)
        drawing.add(
            row_group(
                row.entry,
                title,
                style,
                line(across, low, across, high, "bar stroke"),
                marker(across, up, series or 0),
            )
        )
    drawing.add(*place_labels(labels, occupied, Box(left, top - 4, WIDTH - 4, bottom)))
    return drawing.document()
