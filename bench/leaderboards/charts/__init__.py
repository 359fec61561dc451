"""Figures of a board as SVG, drawn from its board.json alone.

The same board gives the same bytes on every machine: nothing is measured with a font, no number has
more decimals than it needs, and nothing depends on time or on chance.
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
"""Where they are in the folder of a board, each as `NAME.svg`."""
Figure = Callable[["Board"], "str | None"]
FIGURES: dict[str, Figure] = {
    "accuracy-latency": costs.accuracy_latency,
    "accuracy-weights": costs.accuracy_weights,
    "ranks": forest.ranks,
    "critical-difference": critical_difference.critical_difference,
    "length": slice_panels.by_length,
    "aspect-ratio": slice_panels.by_aspect_ratio,
    "learning-curves": learning.learning_curves,
    "blank-accuracy": blank_frames.blank_accuracy,
}
"""Each draws a figure, or returns None where a board has not what it shows."""


def figures(board: Board) -> dict[str, str]:
    """Return the figures that a board has the numbers for: SVG documents, by name."""
    drawn = {name: draw(board) for name, draw in FIGURES.items()}
    return {name: picture for name, picture in drawn.items() if picture is not None}
