"""The formats in which a board can be taken elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from bench.leaderboards.board import to_json
from bench.leaderboards.charts import figures
from bench.leaderboards.formats.board_csv import csv_text
from bench.leaderboards.formats.latex import latex
from bench.leaderboards.formats.markdown import markdown
from bench.leaderboards.web.board_page import board_page

if TYPE_CHECKING:
    from bench.leaderboards.board import Board
    from bench.leaderboards.samples.column_counts import ColumnCounts

ReadCounts = Callable[[], "Mapping[str, ColumnCounts]"]
"""Reads the counts of a board, which only the page with comparisons needs."""
DOCUMENTS: dict[str, Callable[[Board, ReadCounts], bytes]] = {
    "md": lambda board, _counts: markdown(board).encode(),
    "csv": lambda board, _counts: csv_text(board).encode(),
    "json": lambda board, _counts: to_json(board),
    "latex": lambda board, _counts: latex(board).encode(),
    "html": lambda board, counts: board_page(board, counts(), figures(board)),
}
"""What writes each format, from a board and what reads the counts that it follows from."""
