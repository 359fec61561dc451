"""The points of figures that draw scores against another number of each row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.leaderboards.charts.drawing import (
    Box,
    line,
    line_box,
    marker,
    marker_box,
    row_group,
)
from bench.leaderboards.charts.scores import displayed_value
from bench.leaderboards.charts.svg import fit_text

if TYPE_CHECKING:
    from bench.leaderboards.board import BoardMetric, Row, Score
    from bench.leaderboards.charts.scales import Scale

MIN_POINTS = 2
"""A figure of fewer points is not drawn."""
MAX_ALL_LABELED = 12
"""Of more points only those that the figure emphasizes are labeled."""
_MAX_LABEL = 190.0


@dataclass(frozen=True)
class ScatterPoint:
    """A row at its point, in pixels, with the ends of its score's interval.

    Attributes:
        row: The row of the board.
        title: Its tooltip.
        x: The distance from the left.
        y: The distance of its score from the top; `low` and `high` are those of the interval.
    """

    row: Row
    title: str
    x: float
    y: float
    low: float
    high: float

    @property
    def label(self) -> tuple[float, float, str]:
        """The point and the text beside it, as `place_labels` takes them."""
        return self.x, self.y, fit_text(self.row.label, _MAX_LABEL)

    @property
    def boxes(self) -> tuple[Box, Box]:
        """The rectangles that labels have to avoid: of the marker and of the interval."""
        return marker_box(self.x, self.y), line_box(self.x, self.low, self.x, self.high)

    def draw(self, style: str, series: int) -> str:
        """Return the interval and the marker of a series."""
        interval = line(self.x, self.low, self.x, self.high, "bar stroke")
        mark = marker(self.x, self.y, series)
        return row_group(self.row.entry, self.title, style, interval, mark)


def scatter_point(
    row: Row, title: str, x: float, score: Score, metric: BoardMetric, y: Scale
) -> ScatterPoint:
    """Return the point of a row at `x` pixels, its score on the scale `y`."""
    ends = (y(displayed_value(metric, value)) for value in (score.mean, score.low, score.high))
    return ScatterPoint(row, title, x, *ends)
