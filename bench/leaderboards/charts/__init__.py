"""Figures of a board as SVG, drawn from its board.json alone.

The same board gives the same bytes on every machine: widths of texts are estimated without a font,
coordinates are rounded, and nothing depends on time or random numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from bench.leaderboards.charts import (
    blank_frames,
    costs,
    critical_difference,
    forest,
    learning,
    slice_panels,
)

if TYPE_CHECKING:
    from bench.leaderboards.board import Board

FOLDER = "figures"
"""The folder of the figures in the folder of a board; each is a file `NAME.svg`."""
Figure = Callable[["Board"], "str | None"]
FIGURES: dict[str, Figure] = {
    "accuracy-latency": costs.accuracy_latency,
    "accuracy-weights": costs.accuracy_weights,
    "ranks": forest.rank_intervals,
    "critical-difference": critical_difference.critical_difference,
    "length": slice_panels.by_length,
    "aspect-ratio": slice_panels.by_aspect_ratio,
    "learning-curves": learning.learning_curves,
    "blank-accuracy": blank_frames.blank_accuracy,
}
"""Functions that draw a figure, or return None if the board lacks its values."""


def board_figures(board: Board) -> dict[str, str]:
    """Return the figures of a board as SVG documents by name, without those that lack values."""
    drawn = {name: draw(board) for name, draw in FIGURES.items()}
    return {name: svg for name, svg in drawn.items() if svg is not None}
