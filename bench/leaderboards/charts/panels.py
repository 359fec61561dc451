"""Lines of rows in one panel or several, with the best rows in color."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.leaderboards.charts.drawing import curve, legend, marker, row_group, series_style
from bench.leaderboards.charts.svg import fitted
from bench.leaderboards.charts.theme import SERIES

if TYPE_CHECKING:
    from bench.leaderboards.board import Row

_QUIET = "quiet"
_SMALL, _MARK = 2.5, 4.5
"""Radii of markers."""
_MAX_LABEL = 200.0
_BEST = 5
"""How many rows are in color where there are more than colors."""


@dataclass(frozen=True)
class Palette:
    """The color and marker of each row of a figure: the first ones have their own.

    Attributes:
        rows: The rows of the figure in the order of the board.
    """

    rows: Sequence[Row]

    @property
    def colored(self) -> Sequence[Row]:
        """The rows with a color of their own."""
        return self.rows if len(self.rows) <= SERIES else self.rows[:_BEST]

    def series(self, row: Row) -> int | None:
        """Return the series of a row; None where it has no color of its own."""
        return next((n for n, each in enumerate(self.colored) if each is row), None)

    def legend(self, left: float, top: float, right: float) -> tuple[str, float]:
        """Return the legend, and where it ends."""
        entries = [
            (fitted(row.label, _MAX_LABEL), series_style(n), n)
            for n, row in enumerate(self.colored)
        ]
        if others := len(self.rows) - len(entries):
            entries.append((f"{others} others", _QUIET, 0))
        return legend(entries, left, top, right)

    def line(
        self,
        row: Row,
        title: str,
        places: Sequence[tuple[float, float]],
        marked: Sequence[tuple[float, float]],
        intervals: Sequence[str] = (),
    ) -> str:
        """Return the line of a row through some places; `marked` ones have its marker.

        A row without a color of its own has markers only where a line would have no length.
        """
        series = self.series(row)
        if series is None:
            single = places if len(places) == 1 else ()
            dots = [marker(*place, 0, _SMALL) for place in single]
            return row_group(row.entry, title, _QUIET, curve(places, "stroke thin"), *dots)
        marks = [marker(*place, series, _MARK) for place in marked]
        parts = [curve(places, "stroke"), *intervals, *marks]
        return row_group(row.entry, title, series_style(series), *parts)

    def ordered(self) -> list[Row]:
        """Return the rows from the least important to the best, which is drawn last."""
        return [*self.rows][::-1]
