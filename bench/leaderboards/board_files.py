"""The files in the folder of a board."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from bench.core import documents
from bench.leaderboards import board as boards
from bench.leaderboards.formats import csv_table
from bench.leaderboards.formats.markdown import PAGE, markdown
from bench.leaderboards.samples import column_counts
from bench.leaderboards.web import board_page

if TYPE_CHECKING:
    from bench.leaderboards.board import Board
    from bench.leaderboards.samples.column_counts import ColumnCounts


def files(board: Board, counts: Mapping[str, ColumnCounts]) -> dict[str, bytes]:
    """Return the files that follow from a board's samples, its data first.

    Args:
        board: The board.
        counts: The counts that it follows from, of its own evaluations alone, by column.
    """
    return {
        boards.DATA: boards.to_json(board),
        csv_table.FILE: csv_table.csv_text(board).encode(),
        PAGE: markdown(board).encode(),
        board_page.PAGE: board_page.board_page(board, counts),
    }


def write(board: Board, counts: Mapping[str, ColumnCounts], folder: Path) -> None:
    """Write the board's files into `folder`, after the samples that they follow from.

    Counts of evaluations that are on no row are left out, and samples of former columns removed.
    """
    keys = {key for row in board.rows for key in row.evaluations.values()}
    own = {column: counts[column].only(keys) for column in board.column_names if column in counts}
    samples = column_counts.files(own)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        documents.write_files(folder, samples | files(board, own))
    except OSError:
        # A version without a board would be in the way of the next one.
        with suppress(OSError):
            folder.rmdir()
        raise
    for file in folder.glob(column_counts.PATTERN):
        if file.name not in samples:
            file.unlink()
