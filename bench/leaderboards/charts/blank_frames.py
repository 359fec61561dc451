"""The score against the share of blank frames, which is high if the alignments are peaky."""

from __future__ import annotations

from statistics import fmean
from typing import TYPE_CHECKING

from bench.leaderboards.charts.drawing import (
    RIGHT,
    WIDTH,
    Box,
    Drawing,
    place_labels,
    series_style,
    x_axis,
    y_axis,
)
from bench.leaderboards.charts.panels import Palette
from bench.leaderboards.charts.scales import linear_scale
from bench.leaderboards.charts.scatter import MAX_ALL_LABELED, MIN_POINTS, scatter_point
from bench.leaderboards.charts.scores import PERCENT, capitalized, score_scale
from bench.leaderboards.formats.columns import main_score, score_text

if TYPE_CHECKING:
    from bench.leaderboards.board import Board

_HEIGHT = 400.0


def blank_accuracy(board: Board) -> str | None:
    """Draw the score of each row against the share of frames whose best class is blank."""
    points = [
        (row, fmean(ratios), score)
        for row in board.rows
        if (ratios := [ratio for seed in row.seeds for ratio in seed.blank_ratios.values()])
        and (score := main_score(board, row, board.ranked_by))
    ]
    if len(points) < MIN_POINTS:
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
    labels: list[tuple[float, float, str]] = []
    occupied: list[Box] = []
    for row, ratio, score in points:
        series = palette.series(row)
        title = (
            f"{row.label}: {PERCENT * ratio:.1f} % of frames are blank, {metric.heading} "
            f"{score_text(metric, score)}"
        )
        point = scatter_point(row, title, x(PERCENT * ratio), score, metric, y)
        occupied += point.boxes
        if series is not None or len(points) <= MAX_ALL_LABELED:
            labels.append(point.label)
        drawing.add(point.draw("quiet" if series is None else series_style(series), series or 0))
    drawing.add(*place_labels(labels, occupied, Box(left, top - 4, WIDTH - 4, bottom)))
    return drawing.document()
