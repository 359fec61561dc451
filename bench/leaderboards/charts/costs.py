"""Scores against the cost of reading, with the Pareto front."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
    line,
    line_box,
    marker,
    marker_box,
    place_labels,
    row_group,
    x_axis,
    y_axis,
)
from bench.leaderboards.charts.scales import Scale, logarithmic_scale
from bench.leaderboards.charts.scores import capitalized, displayed_value, score_scale
from bench.leaderboards.charts.svg import fit_text, svg_element
from bench.leaderboards.formats.columns import Column, board_columns, main_score

if TYPE_CHECKING:
    from bench.core.recognition import Origin
    from bench.leaderboards.board import Board, Row, Score

_HEIGHT, _LEFT = 440.0, 60.0
_MAX_LABEL = 190.0
_MIN_POINTS = 2
_FEW = 12
"""All points are labeled if there are at most this many, otherwise only those of the front."""
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
    if len(points) < _MIN_POINTS:
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

    def height(score: float) -> float:
        return y(displayed_value(metric, score))

    steps = _steps(front, x, height)
    drawing.add(svg_element("g", curve(steps, "stroke"), class_="c0"))
    others = [point for point in points if point not in front]
    drawing.add(*(_mark(point, x, height, "quiet") for point in others))
    drawing.add(*(_mark(point, x, height, "c0") for point in front))
    # The best entries are labeled first, so that their labels are the last to be left out.
    labeled = [*front[::-1], *(others if len(points) <= _FEW else ())]
    occupied = [marker_box(x(each.cost), height(each.score.mean)) for each in points]
    occupied += [line_box(*a, *b) for a, b in pairwise(steps)]
    for point in points:
        across, score = x(point.cost), point.score
        occupied.append(line_box(across, height(score.low), across, height(score.high)))
    drawing.add(
        *place_labels(
            [
                (x(each.cost), height(each.score.mean), fit_text(each.row.label, _MAX_LABEL))
                for each in labeled
            ],
            occupied,
            Box(_LEFT, y.end - 4, WIDTH - 4, bottom),
        )
    )
    return drawing.document()


def _legend(points: Sequence[Point]) -> list[tuple[str, str, int]]:
    """Return the entries of the legend: colors and, with several origins, markers."""
    origins = sorted({point.row.origin for point in points}, key=lambda each: _SHAPES[each])
    several = len(origins) > 1
    shape = _BAR if several else _SHAPES[origins[0]]
    entries = [("Pareto front", "c0", shape), ("other entries", "quiet", shape)]
    return [*entries, *((origin, "c6", _SHAPES[origin]) for origin in origins if several)]


def _steps(
    front: Sequence[Point], x: Scale, y: Callable[[float], float]
) -> list[tuple[float, float]]:
    """Return the line along the Pareto front: the best score up to each cost."""
    steps: list[tuple[float, float]] = []
    for point in front:
        if steps:
            steps.append((x(point.cost), steps[-1][1]))
        steps.append((x(point.cost), y(point.score.mean)))
    return steps


def _mark(point: Point, x: Scale, y: Callable[[float], float], style: str) -> str:
    across, score = x(point.cost), point.score
    interval = line(across, y(score.low), across, y(score.high), "bar stroke")
    shape = marker(across, y(score.mean), _SHAPES[point.row.origin])
    return row_group(point.row.entry, point.title, style, interval, shape)
