"""The Markdown page of a board."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.core.printable import escaped_markdown, shortened, unescaped_code, without_html
from bench.leaderboards.formats.notes import notes
from bench.leaderboards.formats.tables import other_table, primary_table, published_table
from bench.leaderboards.formats.texts import title, with_texts

if TYPE_CHECKING:
    from bench.leaderboards.board import Board

PAGE = "README.md"


def markdown(board: Board) -> str:
    """Return the board's page, on which no text of others is markup."""
    escaped = with_texts(board, escaped_markdown)
    seeds = ", ".join(map(str, board.seeds))
    reading = (
        f"Protocol `{escaped.protocol}`: {without_html(shortened(board.protocol_about))} "
        f"Mean ± sample standard deviation over the seeds {seeds}. Generated from records by "
        f"`bench board {escaped.suite}`; `bench run {escaped.suite}` runs what is missing. "
        f"Protocol and test sets have the fingerprint `{board.fingerprint}`."
    )
    parts = [f"# {escaped.name}", without_html(shortened(board.about)), unescaped_code(reading)]
    parts += [f"## {title(escaped)}", primary_table(board).markdown()]
    if others := other_table(board):
        parts += ["## Other metrics", others.markdown()]
    if published := published_table(board):
        heading = f"## Published elsewhere, not ranked ({escaped.primary.heading})"
        parts += [heading, published.markdown()]
    parts += map(unescaped_code, notes(escaped))
    return "\n\n".join(part for part in parts if part) + "\n"
