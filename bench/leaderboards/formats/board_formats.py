"""The formats to which a board can be exported."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from bench.leaderboards.board import board_json
from bench.leaderboards.charts import board_figures
from bench.leaderboards.formats.board_csv import csv_text
from bench.leaderboards.formats.latex import board_latex
from bench.leaderboards.formats.markdown import board_markdown
from bench.leaderboards.web.board_page import board_page

if TYPE_CHECKING:
    from bench.leaderboards.board import Board
    from bench.leaderboards.samples.column_counts import ColumnCounts

ReadCounts = Callable[[], "Mapping[str, ColumnCounts]"]
"""Reads the counts of a board, by column; only the HTML page needs them."""
DOCUMENTS: dict[str, Callable[[Board, ReadCounts], bytes]] = {
    "md": lambda board, _counts: board_markdown(board).encode(),
    "csv": lambda board, _counts: csv_text(board).encode(),
    "json": lambda board, _counts: board_json(board),
    "latex": lambda board, _counts: board_latex(board).encode(),
    "html": lambda board, counts: board_page(board, counts(), board_figures(board)),
}
"""Functions that return the board in a format, by its name."""
