"""Scores against what reading costs, with the Pareto front."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.core.text_table import magnitude
from bench.leaderboards.charts.drawing import (
    WIDTH,
    Box,
    Drawing,
    curve,
    legend,
    line,
    marker,
    placed_labels,
    row_group,
    x_axis,
    y_axis,
)
from bench.leaderboards.charts.scales import Scale, linear, logarithmic
from bench.leaderboards.charts.scores import limits, shown
from bench.leaderboards.charts.svg import element, fitted
from bench.leaderboards.formats.columns import Column, columns, main_score

if TYPE_CHECKING:
    from bench.core.recognition import Origin
    from bench.leaderboards.board import Board, Row, Score

_HEIGHT = 440.0
_MAX_LABEL = 190.0
_FEW = 12
"""All points are labeled where there are no more; else those of the front alone."""
_SHAPES: dict[Origin, int] = {"trained": 0, "pretrained": 2, "predictions": 3}
"""The series whose marker stands for each origin."""


@dataclass(frozen=True)
class Point:
    """A row at what it costs and what it scores; `score` is as on the axis, in percent."""

    row: Row
    cost: float
    score: Score
    title: str


def accuracy_latency(board: Board) -> str | None:
    """Draw the score against the median latency of one sample."""
    return _draw(
        board, "latency/1", "latency", f"milliseconds per sample, on {board.speed_hardware}"
    )


def accuracy_weights(board: Board) -> str | None:
    """Draw the score against the number of weights."""
    return _draw(board, "parameters", "number of weights", "number of weights")


def pareto_front(points: Sequence[Point], *, higher_is_better: bool) -> list[Point]:
    """Return the points that no other one beats in score without costing more, by cost."""
    sign = 1 if higher_is_better else -1
    ordered = sorted(points, key=lambda each: (each.cost, -sign * each.score.mean))
    front: list[Point] = []
    for point in ordered:
        if not front or sign * point.score.mean > sign * front[-1].score.mean:
            front.append(point)
    return front


def _points(board: Board, column: Column) -> list[Point]:
    score_column = next(each for each in columns(board) if each.group == "score")
    points = []
    for place, row in enumerate(board.rows):
        score, cost = main_score(board, row, board.ranked_by), column.values[place]
        if score is not None and isinstance(cost, float | int) and cost > 0:
            title = (
                f"{row.label}: {score_column.heading} {score_column.cells[place]}, "
                f"{column.heading} {column.cells[place]}"
            )
            points.append(Point(row, float(cost), score, title))
    return points


def _draw(board: Board, key: str, noun: str, axis: str) -> str | None:
    column = next((each for each in columns(board) if each.key == key), None)
    points = _points(board, column) if column else []
    if len(points) < 2:
        return None
    metric = board.primary
    front = pareto_front(points, higher_is_better=metric.higher_is_better)
    on_front = {point.row.entry for point in front}
    drawing = Drawing(
        f"{metric.title} against {noun}",
        f"Each entry of {board.name} at its {metric.title} and its {noun}. The line joins the "
        f"Pareto front: {', '.join(point.row.label for point in front)}.",
        _HEIGHT,
    )
    origins = [*dict.fromkeys(point.row.origin for point in points)]
    entries = [("Pareto front", "c0", 0), ("other entries", "quiet", 0)]
    if len(origins) > 1:
        entries += [(origin, "c6", _SHAPES[origin]) for origin in origins]
    key_text, top = legend(entries, 60, 36, WIDTH - 24)
    left, right, bottom = 60.0, WIDTH - 24, _HEIGHT - 52
    x = logarithmic([point.cost for point in points], left, right)
    y = linear(
        [shown(metric, end) for p in points for end in (p.score.low, p.score.mean, p.score.high)],
        bottom,
        top + 28,
        **limits(metric),
    )
    drawing.add(key_text, x_axis(x, y.end, bottom, axis, magnitude))
    drawing.add(y_axis(y, left, right, metric.heading))

    def height(share: float) -> float:
        return y(shown(metric, share))

    drawing.add(_steps(front, x, height))
    for point in sorted(points, key=lambda each: each.row.entry in on_front):
        style = "c0" if point.row.entry in on_front else "quiet"
        drawing.add(_mark(point, x, height, style))
    labeled = front if len(points) > _FEW else [*front, *(p for p in points if p not in front)]
    places = [(x(point.cost), height(point.score.mean)) for point in points]
    drawing.add(
        *placed_labels(
            [(x(p.cost), height(p.score.mean), fitted(p.row.label, _MAX_LABEL)) for p in labeled],
            places,
            Box(left, y.end - 12, right + 20, bottom),
        )
    )
    return drawing.document()


def _steps(front: Sequence[Point], x: Scale, y: Callable[[float], float]) -> str:
    """Return the line along the Pareto front: the best score for at most so much."""
    steps: list[tuple[float, float]] = []
    for point in front:
        if steps:
            steps.append((x(point.cost), steps[-1][1]))
        steps.append((x(point.cost), y(point.score.mean)))
    return element("g", curve(steps, "stroke"), class_="c0 faint")


def _mark(point: Point, x: Scale, y: Callable[[float], float], style: str) -> str:
    across, score = x(point.cost), point.score
    interval = line(across, y(score.low), across, y(score.high), "bar stroke faint")
    shape = marker(across, y(score.mean), _SHAPES[point.row.origin])
    return row_group(point.row.entry, point.title, style, interval, shape)
