"""A board as text for a terminal, and as the files of its folder."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from bench.core import documents
from bench.core.printable import escaped_markdown, shortened, unescaped_code, without_html
from bench.leaderboards import board as boards
from bench.leaderboards import column_counts
from bench.leaderboards.notes import notes
from bench.leaderboards.tables import other_table, primary_table, published_table

if TYPE_CHECKING:
    from bench.leaderboards.board import Board
    from bench.leaderboards.column_counts import ColumnCounts

PAGE = "README.md"


def text(board: Board, width: int | None = None) -> str:
    """Return the board for a terminal; tables and paragraphs fit into `width` characters."""
    board = _with_texts(board, shortened)
    parts = [f"{board.name} · protocol {board.protocol}"]
    parts += [f"{_title(board)}\n{primary_table(board, intervals=False).plain(width)}"]
    if others := other_table(board, intervals=False):
        parts.append(others.plain(width))
    if published := published_table(board):
        heading = f"Published elsewhere, not ranked ({board.primary.heading}):"
        parts.append(f"{heading}\n{published.plain(width, keep=1)}")
    if len(board.columns) > 1 and any(row.seeds for row in board.rows):
        parts.append(f"The intervals on single test sets are in its {PAGE} and with --json.")
    return "\n\n".join([*parts, *(wrapped(paragraph, width) for paragraph in notes(board))])


def markdown(board: Board) -> str:
    """Return the board's page, on which no text of others is markup."""
    escaped = _with_texts(board, escaped_markdown)
    seeds = ", ".join(map(str, board.seeds))
    reading = (
        f"Protocol `{escaped.protocol}`: {without_html(shortened(board.protocol_about))} "
        f"Mean ± sample standard deviation over the seeds {seeds}. Generated from records by "
        f"`bench board {escaped.suite}`; `bench run {escaped.suite}` runs what is missing. "
        f"Protocol and test sets have the fingerprint `{board.fingerprint}`."
    )
    parts = [f"# {escaped.name}", without_html(shortened(board.about)), unescaped_code(reading)]
    parts += [f"## {_title(escaped)}", primary_table(board).markdown()]
    if others := other_table(board):
        parts += ["## Other metrics", others.markdown()]
    if published := published_table(board):
        heading = f"## Published elsewhere, not ranked ({escaped.primary.heading})"
        parts += [heading, published.markdown()]
    parts += map(unescaped_code, notes(escaped))
    return "\n\n".join(part for part in parts if part) + "\n"


def files(board: Board) -> dict[str, bytes]:
    """Return the files that follow from a board's samples, its data first."""
    return {boards.DATA: boards.to_json(board), PAGE: markdown(board).encode()}


def write(board: Board, counts: Mapping[str, ColumnCounts], folder: Path) -> None:
    """Write the board's files into `folder`, after the samples that they follow from.

    Counts of evaluations that are on no row are left out, and samples of former columns removed.
    """
    keys = {key for row in board.rows for key in row.evaluations.values()}
    samples = column_counts.files(
        {column: counts[column].only(keys) for column in board.column_names if column in counts}
    )
    folder.mkdir(parents=True, exist_ok=True)
    try:
        documents.write_files(folder, samples | files(board))
    except OSError:
        # A version without a board would be in the way of the next one.
        with suppress(OSError):
            folder.rmdir()
        raise
    for file in folder.glob(column_counts.PATTERN):
        if file.name not in samples:
            file.unlink()


def _with_texts(board: Board, change: Callable[[str], str]) -> Board:
    """Return a board whose texts are changed; its fingerprint stays."""
    return replace(documents.with_texts(board, change), identity=board.identity)


def _title(board: Board) -> str:
    where = f" on {board.columns[0].name}" if len(board.columns) == 1 else ""
    return f"{board.primary.heading}{where}"


def wrapped(paragraph: str, width: int | None) -> str:
    """Return a paragraph in lines of at most `width` characters, but for words that are longer."""
    if not width:
        return paragraph
    # A number stays with its percent sign.
    joined = paragraph.replace(" %", "\u00a0%")
    lines = textwrap.fill(joined, width, break_long_words=False, break_on_hyphens=False)
    return lines.replace("\u00a0", " ")
