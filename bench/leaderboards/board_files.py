"""The files in the folder of a board."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from bench.core import documents
from bench.leaderboards import board as boards
from bench.leaderboards.charts import FOLDER as FIGURES
from bench.leaderboards.charts import figures
from bench.leaderboards.formats import board_csv
from bench.leaderboards.formats.markdown import PAGE, markdown
from bench.leaderboards.samples import samples_file
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
    drawn = figures(board)
    pictures = {f"{FIGURES}/{name}.svg": svg for name, svg in drawn.items()}
    return {
        boards.DATA: boards.to_json(board),
        board_csv.FILE: board_csv.csv_text(board).encode(),
        PAGE: markdown(board, pictures).encode(),
        board_page.PAGE: board_page.board_page(board, counts, drawn),
        **{file: svg.encode() for file, svg in pictures.items()},
    }


def write(board: Board, counts: Mapping[str, ColumnCounts], folder: Path) -> None:
    """Write the board's files into `folder`, after the samples that they follow from.

    Counts of evaluations that are on no row are left out; samples of former columns are removed,
    and figures that the board no longer has.
    """
    keys = {key for row in board.rows for key in row.evaluations.values()}
    own = {
        column: kept
        for column in board.column_names
        if column in counts and (kept := counts[column].only(keys)).keys
    }
    samples = samples_file.files(own)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        contents = samples | files(board, own)
        documents.write_files(folder, contents)
    except OSError:
        # A version without a board would be in the way of the next one.
        with suppress(OSError):
            folder.rmdir()
        raise
    for file in stale_files(folder, contents):
        file.unlink()


def stale_files(folder: Path, names: Collection[str]) -> list[Path]:
    """Return the samples and figures in `folder` that are not among the board's files."""
    return [
        file
        for pattern in (samples_file.PATTERN, f"{FIGURES}/*.svg")
        for file in sorted(folder.glob(pattern))
        if file.relative_to(folder).as_posix() not in names
    ]
