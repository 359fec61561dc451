"""Lines of rows in figures of one or several panels, with the best rows in color."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.leaderboards.charts.drawing import curve, legend, marker, row_group, series_style
from bench.leaderboards.charts.svg import fit_text
from bench.leaderboards.charts.theme import SERIES

if TYPE_CHECKING:
    from bench.leaderboards.board import Row

_QUIET = "quiet"
_SMALL, _MARK = 2.5, 4.5
"""Radii of markers, of rows without and with a color."""
_MAX_LABEL = 200.0
_BEST = 5
"""Number of rows in color if there are more rows than colors."""


@dataclass(frozen=True)
class Palette:
    """Colors and markers of the rows of a figure; only the best rows have their own.

    Attributes:
        rows: The rows of the figure in the order of the board.
    """

    rows: Sequence[Row]

    @property
    def colored(self) -> Sequence[Row]:
        """The rows with a color of their own."""
        return self.rows if len(self.rows) <= SERIES else self.rows[:_BEST]

    def series(self, row: Row) -> int | None:
        """Return the number of a row's series; None if it has no color of its own."""
        return next((n for n, each in enumerate(self.colored) if each is row), None)

    def legend(self, left: float, top: float, right: float) -> tuple[str, float]:
        """Return the legend, and its lower end."""
        entries = [
            (fit_text(row.label, _MAX_LABEL), series_style(n), n)
            for n, row in enumerate(self.colored)
        ]
        if others := len(self.rows) - len(entries):
            entries.append((f"{others} others", _QUIET, 0))
        return legend(entries, left, top, right)

    def line(
        self,
        row: Row,
        title: str,
        points: Sequence[tuple[float, float]],
        marked: Sequence[tuple[float, float]],
        intervals: Sequence[str] = (),
    ) -> str:
        """Return the line of a row.

        A row without a color of its own has a marker only if it has a single point.

        Args:
            row: The row.
            title: The tooltip.
            points: The points of the line.
            marked: The points with a marker.
            intervals: Lines of intervals, as SVG.
        """
        series = self.series(row)
        if series is None:
            single = points if len(points) == 1 else ()
            dots = [marker(*point, 0, _SMALL) for point in single]
            return row_group(row.entry, title, _QUIET, curve(points, "stroke thin"), *dots)
        marks = [marker(*point, series, _MARK) for point in marked]
        parts = [curve(points, "stroke"), *intervals, *marks]
        return row_group(row.entry, title, series_style(series), *parts)

    def ordered(self) -> list[Row]:
        """Return the rows from the worst to the best, so that the best is drawn over the others."""
        return [*self.rows][::-1]
