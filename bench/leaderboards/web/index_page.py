"""The page that lists all boards of a site."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING
from urllib.parse import quote

from bench.leaderboards.formats.columns import AVERAGES, NOTHING, main_score, score_text
from bench.leaderboards.web.document import document, text

if TYPE_CHECKING:
    from bench.leaderboards.board import Board

_HEADINGS = ("Board", "About", "Protocol", "Test sets", "Ranked by", "First", "Score", "Entries")


def index_page(
    boards: Mapping[str, Board], faults: Sequence[str] = (), *, is_live: bool = False
) -> bytes:
    """Return the index of boards.

    Args:
        boards: Each board by the path of its page from the index.
        faults: Why other boards cannot be read.
        is_live: Whether `bench view` serves it, with the page of what is running.
    """
    heads = "".join(f'<th scope="col">{heading}</th>' for heading in _HEADINGS)
    rows = "\n".join(_row(path, board) for path, board in boards.items())
    table = (
        '<div class="scroll" tabindex="0" role="region" aria-label="Leaderboards"><table>\n'
        f"<thead><tr>{heads}</tr></thead>\n<tbody>\n{rows}\n</tbody>\n</table></div>"
    )
    running = '<p><a href="running.html">What is running now</a></p>\n' if is_live else ""
    body = (
        '<div class="top"><span class="soft">bench</span><button id="theme" type="button">Theme'
        f"</button></div>\n<main>\n<h1>Leaderboards</h1>\n{running}"
        "<p>Scores of two versions of a board do not compare: protocol or test sets changed "
        "between them.</p>\n"
        f"{table if boards else '<p>There is no board yet; <code>bench run</code> makes one.</p>'}"
        f"{''.join(f'<p>{text(fault)}</p>' for fault in faults)}\n</main>"
    )
    return document("Leaderboards", body, ["theme.js"], ["theme.css"])


def _row(path: str, board: Board) -> str:
    metric = board.primary
    average = f", {AVERAGES[board.average]}" if len(board.columns) > 1 else ""
    first = [row for row in board.rows if row.rank == 1]
    score = score_text(metric, main_score(board, first[0], metric.name)) if first else NOTHING
    cells = [
        board.about,
        board.protocol,
        ", ".join(board.column_names),
        f"{metric.heading}{average}",
        ", ".join(row.label for row in first) or NOTHING,
        score,
        str(len(board.rows)),
    ]
    link = f'<th scope="row"><a href="{quote(path)}">{text(board.name)}</a></th>'
    return f"<tr>{link}{''.join(f'<td>{text(cell)}</td>' for cell in cells)}</tr>"
