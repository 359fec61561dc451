"""The files in the folder of a board."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from bench.core import documents
from bench.leaderboards import board as boards
from bench.leaderboards.charts import FOLDER as FIGURES
from bench.leaderboards.charts import board_figures
from bench.leaderboards.formats import board_csv
from bench.leaderboards.formats.markdown import PAGE, board_markdown
from bench.leaderboards.samples import samples_file
from bench.leaderboards.web import board_page

if TYPE_CHECKING:
    from bench.leaderboards.board import Board
    from bench.leaderboards.samples.column_counts import ColumnCounts


def board_contents(board: Board, counts: Mapping[str, ColumnCounts]) -> dict[str, bytes]:
    """Return the content of a board's files by name, `board.json` first, without its samples.

    Args:
        board: The board.
        counts: The counts of the board's own evaluations, by column.
    """
    drawn = board_figures(board)
    pictures = {f"{FIGURES}/{name}.svg": svg for name, svg in drawn.items()}
    return {
        boards.BOARD_FILE: boards.board_json(board),
        board_csv.FILE: board_csv.csv_text(board).encode(),
        PAGE: board_markdown(board, pictures).encode(),
        board_page.PAGE: board_page.board_page(board, counts, drawn),
        **{file: svg.encode() for file, svg in pictures.items()},
    }


def write_board(board: Board, counts: Mapping[str, ColumnCounts], folder: Path) -> None:
    """Write the files of a board into `folder`, samples first.

    Counts of evaluations that are not on the board are left out. Files of samples and figures that
    the board no longer has are removed.
    """
    keys = {key for row in board.rows for key in row.evaluations.values()}
    own = {
        column: kept
        for column in board.column_names
        if column in counts and (kept := counts[column].only_evaluations(keys)).keys
    }
    samples = samples_file.samples_files(own)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        contents = samples | board_contents(board, own)
        documents.write_files(folder, contents)
    except OSError:
        # Leave no empty folder behind.
        with suppress(OSError):
            folder.rmdir()
        raise
    for file in stale_files(folder, contents):
        file.unlink()


def stale_files(folder: Path, names: Collection[str]) -> list[Path]:
    """Return the files of samples and figures in `folder` that are not in `names`."""
    return [
        file
        for pattern in (samples_file.SAMPLES_PATTERN, f"{FIGURES}/*.svg")
        for file in sorted(folder.glob(pattern))
        if file.relative_to(folder).as_posix() not in names
    ]
