"""The Markdown page of a board."""

from __future__ import annotations

from collections.abc import Mapping
from html import unescape
from typing import TYPE_CHECKING

from bench.core.printable import escaped_markdown, shortened, unescaped_code, without_html
from bench.leaderboards.formats.board_texts import scores_heading, with_changed_texts
from bench.leaderboards.formats.notes import board_notes, score_notes
from bench.leaderboards.formats.tables import detail_tables, main_table, published_table

if TYPE_CHECKING:
    from bench.core.text_table import Table
    from bench.leaderboards.board import Board

PAGE = "README.md"
_HOME = "../../.."
"""Where bench.toml is, from the folder of a board."""
_FILES = (
    f"Entries and recipes: [bench.toml]({_HOME}/bench.toml). Method of intervals and ranks: "
    f"[statistics.md]({_HOME}/docs/explanation/statistics.md). "
    "All numbers: [board.csv](board.csv), and with every seed and recipe [board.json](board.json). "
    "The errors on every sample: the files whose names begin with `samples-` in [this folder](./)."
)


def board_markdown(board: Board, figures: Mapping[str, str] | None = None) -> str:
    """Return the Markdown page of a board, with escaped texts.

    Args:
        board: The board.
        figures: The figures in the folder of the page: SVG by file name.
    """
    escaped = with_changed_texts(board, escaped_markdown)
    about = (
        f"Protocol `{escaped.protocol}`: {without_html(shortened(board.protocol_about))} "
        f"Generated from records by `bench board {escaped.suite}`; `bench run {escaped.suite}` "
        "runs what is missing. Protocol and test sets have the fingerprint "
        f"`{board.fingerprint}`."
    )
    parts = [f"# {escaped.name}", without_html(shortened(board.about))]
    parts += [f"## {scores_heading(escaped)}", main_table(board).markdown(), *score_notes(escaped)]
    parts += [_image(file, svg) for file, svg in (figures or {}).items()]
    parts += [_folded(name, table) for name, table in detail_tables(board).items()]
    if published := published_table(board):
        heading = f"## Published elsewhere, not ranked ({escaped.ranking_metric.heading})"
        parts += [heading, published.markdown()]
    parts += ["## Notes", *map(unescaped_code, board_notes(escaped)), unescaped_code(about), _FILES]
    return "\n\n".join(part for part in parts if part) + "\n"


def _image(file: str, svg: str) -> str:
    """Return a link to a figure as an image, with the title of the figure as its text."""
    title = unescape(svg.partition("<title>")[2].partition("</title>")[0])
    return f"![{escaped_markdown(shortened(title))}]({file})"


def _folded(heading: str, table: Table) -> str:
    """Return a table that is collapsed below its heading."""
    return f"<details>\n<summary>{heading}</summary>\n\n{table.markdown()}\n\n</details>"
