"""A board as text for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.core.printable import shortened
from bench.leaderboards.formats.markdown import PAGE
from bench.leaderboards.formats.notes import notes
from bench.leaderboards.formats.tables import other_table, primary_table, published_table
from bench.leaderboards.formats.texts import title, with_texts, wrapped

if TYPE_CHECKING:
    from bench.leaderboards.board import Board


def terminal_text(board: Board, width: int | None = None) -> str:
    """Return the board for a terminal; tables and paragraphs fit into `width` characters."""
    board = with_texts(board, shortened)
    parts = [f"{board.name} · protocol {board.protocol}"]
    parts += [f"{title(board)}\n{primary_table(board, intervals=False).plain(width)}"]
    if others := other_table(board, intervals=False):
        parts.append(others.plain(width))
    if published := published_table(board):
        heading = f"Published elsewhere, not ranked ({board.primary.heading}):"
        parts.append(f"{heading}\n{published.plain(width, keep=1)}")
    if len(board.columns) > 1 and any(row.seeds for row in board.rows):
        parts.append(f"The intervals on single test sets are in its {PAGE} and with --json.")
    return "\n\n".join([*parts, *(wrapped(paragraph, width) for paragraph in notes(board))])
