"""The page of a board: `board.html`, a single file with its data, scripts and figures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bench.leaderboards.web.board_data import board_data
from bench.leaderboards.web.document import html_document, html_text, inline_json

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
        counts: The counts of its evaluations, by column.
        pictures: The figures: SVG by name.
    """
    templates = "\n".join(f'<template class="figure">{svg}</template>' for svg in pictures.values())
    body = f"{_head(board)}\n{_TABLE}\n{templates}\n{_NO_PARTS.decode()}"
    data = board_data(board, counts)
    return html_document(board.name, body, _SCRIPTS, _STYLES, data, requests=_POLICY)


def with_parts(page: bytes, parts: Mapping[str, Any]) -> bytes:
    """Return the page of a board with the list of the parts in its folder.

    Args:
        page: The page from `board_page`.
        parts: The list, from `bench.leaderboards.web.parts.parts_manifest`.
    """
    element = f'<script type="application/json" id="parts">{inline_json(parts)}</script>'
    return page.replace(_NO_PARTS, element.encode(), 1)


def _head(board: Board) -> str:
    metric = board.ranking_metric
    return (
        '<div class="top"><nav aria-label="Files of this board"><a href="README.md">Markdown</a> '
        '<a href="board.csv">CSV</a> <a href="board.json">JSON</a></nav>'
        '<button id="theme" type="button">Dark theme</button></div>\n'
        f'<main>\n<h1>{html_text(board.name)}</h1>\n<p class="about">{html_text(board.about)}</p>\n'
        f'<dl class="identity"><div><dt>Ranked by</dt><dd>{html_text(_ranked_by(board))}</dd></div>'
        f"<div><dt>Protocol</dt><dd>{html_text(board.protocol)}: "
        f"{html_text(board.protocol_about)}</dd></div>"
        f"<div><dt>Test sets</dt><dd>{html_text(_tests(board))}</dd></div>"
        f"<div><dt>Fingerprint</dt><dd><code>{html_text(board.fingerprint)}</code></dd></div></dl>\n"
        f'<p class="soft">{"Higher" if metric.higher_is_better else "Lower"} is better. '
        "The bar below a score is its 95 % interval over samples and seeds. The ranks of an entry "
        "are those that it may have; all pairs of entries are compared together at 5 %.</p>"
    )


def _ranked_by(board: Board) -> str:
    if len(board.columns) == 1:
        return board.ranking_metric.heading
    weights = "weighted by samples" if board.average == "weighted" else "with the same weight"
    return (
        f"{board.ranking_metric.heading}, averaged over {len(board.columns)} test sets, {weights}"
    )


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
