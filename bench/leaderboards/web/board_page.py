"""The page of a board: `board.html`, complete in one file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bench.leaderboards.web.board_data import board_data
from bench.leaderboards.web.document import document, inline_json, text

if TYPE_CHECKING:
    from bench.leaderboards.board import Board
    from bench.leaderboards.samples.column_counts import ColumnCounts

PAGE = "board.html"
_SCRIPTS = (
    "theme.js",
    "elements.js",
    "view.js",
    "tips.js",
    "table.js",
    "filters.js",
    "drawing.js",
    "parts.js",
    "details.js",
    "comparison.js",
    "figures.js",
    "start.js",
)
_STYLES = ("theme.css", "board.css")
_POLICY = "img-src data:; script-src 'self'"
_NO_PARTS = b'<script type="application/json" id="parts">null</script>'


def board_page(
    board: Board, counts: Mapping[str, ColumnCounts], pictures: Mapping[str, str]
) -> bytes:
    """Return the page of a board: a pure function of the board and its samples.

    Args:
        board: The board.
        counts: What its evaluations count, by column.
        pictures: Its figures, SVG by name.
    """
    templates = "\n".join(f'<template class="figure">{svg}</template>' for svg in pictures.values())
    body = f"{_head(board)}\n{_TABLE}\n{templates}\n{_NO_PARTS.decode()}"
    data = board_data(board, counts)
    return document(board.name, body, _SCRIPTS, _STYLES, data, requests=_POLICY)


def with_parts(page: bytes, parts: Mapping[str, Any]) -> bytes:
    """Return the page of a board that knows which parts are in its folder.

    Args:
        page: What `board_page` returned.
        parts: See `bench.leaderboards.web.parts.manifest`.
    """
    element = f'<script type="application/json" id="parts">{inline_json(parts)}</script>'
    return page.replace(_NO_PARTS, element.encode(), 1)


def _head(board: Board) -> str:
    metric = board.primary
    return (
        '<div class="top"><nav aria-label="Files of this board"><a href="README.md">Markdown</a> '
        '<a href="board.csv">CSV</a> <a href="board.json">JSON</a></nav>'
        '<button id="theme" type="button">Dark theme</button></div>\n'
        f'<main>\n<h1>{text(board.name)}</h1>\n<p class="about">{text(board.about)}</p>\n'
        f'<dl class="identity"><div><dt>Ranked by</dt><dd>{text(_ranked_by(board))}</dd></div>'
        f"<div><dt>Protocol</dt><dd>{text(board.protocol)}: {text(board.protocol_about)}</dd></div>"
        f"<div><dt>Test sets</dt><dd>{text(_tests(board))}</dd></div>"
        f"<div><dt>Fingerprint</dt><dd><code>{text(board.fingerprint)}</code></dd></div></dl>\n"
        f'<p class="soft">{"Higher" if metric.higher_is_better else "Lower"} is better. '
        "The bar below a score is its 95 % interval over samples and seeds; ranks are those that "
        "an entry may have, all pairs compared together at 5 %.</p>"
    )


def _ranked_by(board: Board) -> str:
    if len(board.columns) == 1:
        return board.primary.heading
    weights = "weighted by samples" if board.average == "weighted" else "each test set alike"
    return f"{board.primary.heading}, averaged over {len(board.columns)} test sets, {weights}"


def _tests(board: Board) -> str:
    return ", ".join(
        column.name if column.samples is None else f"{column.name} ({column.samples:,} samples)"
        for column in board.columns
    )


_TABLE = """<section class="controls" aria-label="Filters">
<label>Search<input id="search" type="search" autocomplete="off"></label>
<label>Test set<select id="test"></select></label>
<label>Model<select id="model"></select></label>
<label>Loss<select id="loss"></select></label>
<label>Origin<select id="origin"></select></label>
<button id="reset" type="button">Reset</button>
<details id="columns"><summary>Columns</summary><div id="column-choice"></div></details>
</section>
<p id="status" role="status" class="soft"></p>
<section id="comparison" aria-label="Comparison of two entries" hidden></section>
<div class="scroll" id="board" role="region" aria-label="Table of entries" tabindex="0">
<table><caption class="spoken">Entries of this board; a heading sorts, a name opens its details
</caption><thead></thead><tbody></tbody></table></div>
<nav id="pages" aria-label="Pages of the table"></nav>
<section id="figures" aria-label="Figures" hidden><h2>Figures</h2>
<div id="figure-choice" role="group" aria-label="Choose a figure"></div>
<figure class="scroll" role="region" aria-label="Figure" tabindex="0"></figure></section>
</main>
<div id="tip" role="tooltip" hidden></div>
<noscript><p>This table needs JavaScript; README.md beside this page does not.</p></noscript>"""
