"""Learning curves of all trainings of a board."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from bench.leaderboards.charts.drawing import RIGHT, WIDTH, Drawing, x_axis, y_axis
from bench.leaderboards.charts.panels import Palette
from bench.leaderboards.charts.scales import linear_scale
from bench.leaderboards.charts.scores import PERCENT

if TYPE_CHECKING:
    from bench.leaderboards.board import Board

_PANEL = 300.0
_MAX_TICKS = 8


def learning_curves(board: Board) -> str | None:
    """Draw the label error rate on validation data by epoch, one line per training."""
    rows = [row for row in board.rows if any(any(s.curves.values()) for s in row.seeds)]
    validations = [
        validation
        for row in rows
        for seed in row.seeds
        for curve in seed.curves.values()
        for validation in curve
    ]
    if not validations:
        return None
    palette = Palette(rows)
    key, top = palette.legend(16, 36, WIDTH - 16)
    top, bottom, left, right = top + 32, top + 32 + _PANEL, 60.0, RIGHT
    drawing = Drawing(
        "Learning curves",
        f"The label error rate on validation data of each training of {board.name}, by epoch.",
        bottom + 54,
    )
    epochs = [0.0, *(validation.epoch for validation in validations)]
    x = linear_scale(epochs, left, right, low=0, count=min(_MAX_TICKS, math.ceil(max(epochs))))
    rates = [PERCENT * validation.label_error_rate for validation in validations]
    y = linear_scale([0.0, *rates], bottom, top, low=0)
    drawing.add(
        key,
        x_axis(x, top, bottom, "epoch"),
        y_axis(y, left, right, "label error rate on validation data %"),
    )
    for row in palette.ordered():
        for seed in row.seeds:
            for curve in seed.curves.values():
                points = [(x(p.epoch), y(PERCENT * p.label_error_rate)) for p in curve]
                if points:
                    last = curve[-1]
                    title = (
                        f"{row.label}, seed {seed.seed}: {PERCENT * last.label_error_rate:.2f} % "
                        f"after {last.epoch:g} epochs"
                    )
                    drawing.add(palette.line(row, title, points, points[-1:]))
    return drawing.document()
