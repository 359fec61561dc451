"""Scores on groups of samples of each test set: by length, by aspect ratio."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.leaderboards.charts.drawing import WIDTH, Drawing, label, line, y_axis
from bench.leaderboards.charts.panels import Palette
from bench.leaderboards.charts.scores import capitalized, displayed_value, score_scale
from bench.leaderboards.charts.svg import fit_text, wrap_text
from bench.leaderboards.formats.columns import score_text

if TYPE_CHECKING:
    from bench.leaderboards.board import Board, BoardColumn, Row
    from bench.leaderboards.charts.scales import Scale

_PLOT, _BELOW, _ABOVE = 190.0, 62.0, 40.0
"""Heights of a plot, of the space below it and of the space above it."""
_SHIFT = 6.0
"""Horizontal distance between the markers of two rows."""


def by_length(board: Board) -> str | None:
    """Draw the score by the length of the reference."""
    return _draw(board, "length", "length of the reference")


def by_aspect_ratio(board: Board) -> str | None:
    """Draw the score by the width of the image divided by its height."""
    return _draw(board, "aspect ratio", "aspect ratio of the picture (width / height)")


def _draw(board: Board, by: str, noun: str) -> str | None:
    columns = [column for column in board.columns if len(column.slices.get(by, ())) > 1]
    rows = [
        row
        for row in board.rows
        if any(row.slices.get(column.name, {}).get(by) for column in columns)
    ]
    if not rows:
        return None
    palette = Palette(rows)
    key, top = palette.legend(16, 36, WIDTH - 16)
    across = min(len(columns), 2)
    lines = -(-len(columns) // across)
    metric = board.ranking_metric.title
    drawing = Drawing(
        capitalized(f"{metric} by {noun}"),
        f"The {metric} of each entry of {board.name} by {noun}, with 95 % intervals, for each test "
        "set; the number of samples is below each group.",
        top + lines * (_ABOVE + _PLOT + _BELOW) + 4,
    )
    drawing.add(key)
    width = (WIDTH - 24) / across
    for index, column in enumerate(columns):
        left = 12 + (index % across) * width
        upper = top + (index // across) * (_ABOVE + _PLOT + _BELOW) + _ABOVE
        drawing.add(
            *_Panel(board, column, by, palette, left + 44, left + width - 12).elements(upper)
        )
    return drawing.document()


@dataclass(frozen=True)
class _Panel:
    """The plot of one test set; `left` and `right` are the ends of its x axis."""

    board: Board
    column: BoardColumn
    by: str
    palette: Palette
    left: float
    right: float

    @property
    def _step(self) -> float:
        return (self.right - self.left) / len(self.column.slices[self.by])

    def _middle(self, group: int) -> float:
        """Return the coordinate of the middle of a group, given by its index."""
        return self.left + self._step * (group + 0.5)

    def elements(self, top: float) -> list[str]:
        """Return the elements of the plot, whose upper end is `top`."""
        metric, bottom = self.board.ranking_metric, top + _PLOT
        rows = [
            row
            for row in self.palette.ordered()
            if any(row.slices.get(self.column.name, {}).get(self.by, ()))
        ]
        scores = [
            score
            for row in rows
            for score in row.slices[self.column.name][self.by]
            if score is not None
        ]
        if not scores:
            return []
        y = score_scale(metric, scores, bottom, top, count=5)
        several = len(self.board.columns) > 1
        heading = f"{self.column.name}, {metric.heading}" if several else metric.heading
        heading = fit_text(heading, self.right - self.left)
        parts = [y_axis(y, self.left, self.right, heading)]
        for index, group in enumerate(self.column.slices[self.by]):
            lines = [*wrap_text(group.name, self._step - 4, 2), f"{group.samples:,}"]
            parts += [
                label(self._middle(index), bottom + 18 + 15 * n, text, "soft", "middle")
                for n, text in enumerate(lines)
            ]
        return [*parts, *(self._row(row, y) for row in rows)]

    def _row(self, row: Row, y: Scale) -> str:
        """Return the line of a row, shifted so that rows do not cover each other."""
        metric, series = self.board.ranking_metric, self.palette.series(row)
        colored = len(self.palette.colored)
        shift = min(_SHIFT, self._step / 3 / max(1, colored))
        offset = 0.0 if series is None else (series - (colored - 1) / 2) * shift
        points, intervals, texts = [], [], []
        groups, scores = self.column.slices[self.by], row.slices[self.column.name][self.by]
        for index, (group, score) in enumerate(zip(groups, scores, strict=True)):
            if score is None:
                continue
            x = self._middle(index) + offset
            low, mean, high = (
                y(displayed_value(metric, value)) for value in (score.low, score.mean, score.high)
            )
            points.append((x, mean))
            intervals.append(line(x, low, x, high, "bar stroke"))
            texts.append(f"{group.name}: {score_text(metric, score)}")
        title = f"{row.label} on {self.column.name}; {'; '.join(texts)}"
        return self.palette.line(row, title, points, points, intervals)
