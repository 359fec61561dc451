"""Scores against the cost of reading, with the Pareto front."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from bench.core.text_table import magnitude
from bench.leaderboards.charts.drawing import (
    MARKERS,
    RIGHT,
    WIDTH,
    Box,
    Drawing,
    curve,
    legend,
    line_box,
    place_labels,
    x_axis,
    y_axis,
)
from bench.leaderboards.charts.scales import logarithmic_scale
from bench.leaderboards.charts.scatter import (
    MAX_ALL_LABELED,
    MIN_POINTS,
    ScatterPoint,
    scatter_point,
)
from bench.leaderboards.charts.scores import capitalized, score_scale
from bench.leaderboards.charts.svg import svg_element
from bench.leaderboards.formats.columns import Column, board_columns, main_score

if TYPE_CHECKING:
    from bench.core.recognition import Origin
    from bench.leaderboards.board import Board, Row, Score

_HEIGHT, _LEFT = 440.0, 60.0
_SHAPES: dict[Origin, int] = {"trained": 0, "pretrained": 2, "predictions": 3}
"""The series whose marker denotes each origin."""
_BAR = MARKERS.index("bar")


@dataclass(frozen=True)
class Point:
    """A row as a point at its cost and score; `title` is its tooltip."""

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
    """Return the Pareto front in order of cost.

    It has the points that no other point beats in score or cost without being worse in the other.
    """
    sign = 1 if higher_is_better else -1
    ordered = sorted(points, key=lambda each: (each.cost, -sign * each.score.mean))
    front: list[Point] = []
    for point in ordered:
        last = front[-1] if front else None
        if (
            last is None
            or sign * point.score.mean > sign * last.score.mean
            or (point.cost, point.score.mean) == (last.cost, last.score.mean)
        ):
            front.append(point)
    return front


def _points(board: Board, column: Column) -> list[Point]:
    score_column = next(each for each in board_columns(board) if each.group == "score")
    points = []
    for index, row in enumerate(board.rows):
        score, cost = main_score(board, row, board.ranked_by), column.values[index]
        if score is not None and isinstance(cost, float | int) and cost > 0:
            title = (
                f"{row.label}: {score_column.heading} {score_column.cells[index]}, "
                f"{column.heading} {column.cells[index]}"
            )
            points.append(Point(row, float(cost), score, title))
    return points


def _draw(board: Board, key: str, noun: str, axis: str) -> str | None:
    column = next((each for each in board_columns(board) if each.key == key), None)
    points = _points(board, column) if column else []
    if len(points) < MIN_POINTS:
        return None
    metric = board.ranking_metric
    front = pareto_front(points, higher_is_better=metric.higher_is_better)
    drawing = Drawing(
        capitalized(f"{metric.title} against {noun}"),
        f"Each entry of {board.name} at its {metric.title} with the 95 % interval and its {noun}. "
        "The line joins the Pareto front, the entries that no other entry beats in one of the two "
        f"without being worse in the other: {', '.join(point.row.label for point in front)}.",
        _HEIGHT,
    )
    key_text, top = legend(_legend(points), _LEFT, 36, RIGHT)
    bottom = _HEIGHT - 52
    x = logarithmic_scale([point.cost for point in points], _LEFT, RIGHT)
    y = score_scale(metric, (point.score for point in points), bottom, top + 28)
    drawing.add(key_text, x_axis(x, y.end, bottom, axis, magnitude))
    drawing.add(y_axis(y, _LEFT, RIGHT, metric.heading))

    def placed(points: Sequence[Point]) -> list[ScatterPoint]:
        return [
            scatter_point(each.row, each.title, x(each.cost), each.score, metric, y)
            for each in points
        ]

    best, beaten = placed(front), placed([point for point in points if point not in front])
    steps = _steps(best)
    drawing.add(svg_element("g", curve(steps, "stroke"), class_="c0"))
    drawing.add(*(each.draw("quiet", _SHAPES[each.row.origin]) for each in beaten))
    drawing.add(*(each.draw("c0", _SHAPES[each.row.origin]) for each in best))
    # The best entries are labeled first, so that their labels are the last to be left out.
    labeled = [*best[::-1], *(beaten if len(points) <= MAX_ALL_LABELED else ())]
    occupied = [box for each in (*best, *beaten) for box in each.boxes]
    occupied += [line_box(*a, *b) for a, b in pairwise(steps)]
    area = Box(_LEFT, y.end - 4, WIDTH - 4, bottom)
    drawing.add(*place_labels([each.label for each in labeled], occupied, area))
    return drawing.document()


def _legend(points: Sequence[Point]) -> list[tuple[str, str, int]]:
    """Return the entries of the legend: colors and, with several origins, markers."""
    origins = sorted({point.row.origin for point in points}, key=lambda each: _SHAPES[each])
    several = len(origins) > 1
    shape = _BAR if several else _SHAPES[origins[0]]
    entries = [("Pareto front", "c0", shape), ("other entries", "quiet", shape)]
    return [*entries, *((origin, "c6", _SHAPES[origin]) for origin in origins if several)]


def _steps(front: Sequence[ScatterPoint]) -> list[tuple[float, float]]:
    """Return the line along the Pareto front: the best score up to each cost."""
    steps: list[tuple[float, float]] = []
    for point in front:
        if steps:
            steps.append((point.x, steps[-1][1]))
        steps.append((point.x, point.y))
    return steps
