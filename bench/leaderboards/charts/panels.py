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
_MAX_LABEL = 200.0


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
        return self.rows[:SERIES]

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
        intervals: Sequence[str] = (),
        *,
        marked: bool = True,
    ) -> str:
        """Return the line of a row through some places, with markers where asked."""
        series = self.series(row)
        style = f"{_QUIET} faint" if series is None else series_style(series)
        shape = series or 0
        radius = 2.5 if series is None else 4.5
        marks = [marker(x, y, shape, radius) for x, y in places] if marked else []
        return row_group(row.entry, title, style, curve(places, "stroke"), *intervals, *marks)

    def ordered(self) -> list[Row]:
        """Return the rows from the least important to the best, which is drawn last."""
        return [*self.rows][::-1]
