"""The page that lists all boards of a site."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING
from urllib.parse import quote

from bench.leaderboards.formats.columns import AVERAGES, NO_VALUE, main_score, score_text
from bench.leaderboards.web.document import html_document, html_text

if TYPE_CHECKING:
    from bench.leaderboards.board import Board

_HEADINGS = ("Board", "About", "Protocol", "Test sets", "Ranked by", "First", "Score", "Entries")


def index_page(
    boards: Mapping[str, Board], faults: Sequence[str] = (), *, is_live: bool = False
) -> bytes:
    """Return the page that lists boards.

    Args:
        boards: The boards by the path of their pages.
        faults: Why other boards cannot be read.
        is_live: Whether `bench view` serves the site, which then has a page of running tasks.
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
        "<p>Do not compare scores of two versions of a board: protocol or test sets changed "
        "between them.</p>\n"
        f"{table if boards else '<p>There is no board yet; <code>bench run</code> makes one.</p>'}"
        f"{''.join(f'<p>{html_text(fault)}</p>' for fault in faults)}\n</main>"
    )
    return html_document("Leaderboards", body, ["theme.js"], ["theme.css"])


def _row(path: str, board: Board) -> str:
    metric = board.ranking_metric
    average = f", {AVERAGES[board.average]}" if len(board.columns) > 1 else ""
    first = [row for row in board.rows if row.rank == 1]
    score = score_text(metric, main_score(board, first[0], metric.name)) if first else NO_VALUE
    cells = [
        board.about,
        board.protocol,
        ", ".join(board.column_names),
        f"{metric.heading}{average}",
        ", ".join(row.label for row in first) or NO_VALUE,
        score,
        str(len(board.rows)),
    ]
    link = f'<th scope="row"><a href="{quote(path)}">{html_text(board.name)}</a></th>'
    return f"<tr>{link}{''.join(f'<td>{html_text(cell)}</td>' for cell in cells)}</tr>"
