"""The Markdown page of a board."""

from __future__ import annotations

from collections.abc import Mapping
from html import unescape
from typing import TYPE_CHECKING

from bench.core.printable import escaped_markdown, shortened, unescaped_code, without_html
from bench.leaderboards.formats.board_texts import title, with_texts
from bench.leaderboards.formats.notes import notes, reading
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


def markdown(board: Board, figures: Mapping[str, str] | None = None) -> str:
    """Return the board's page, on which no text of others is markup.

    Args:
        board: The board.
        figures: The figures beside the page, SVG by the name of the file.
    """
    escaped = with_texts(board, escaped_markdown)
    about = (
        f"Protocol `{escaped.protocol}`: {without_html(shortened(board.protocol_about))} "
        f"Generated from records by `bench board {escaped.suite}`; `bench run {escaped.suite}` "
        "runs what is missing. Protocol and test sets have the fingerprint "
        f"`{board.fingerprint}`."
    )
    parts = [f"# {escaped.name}", without_html(shortened(board.about))]
    parts += [f"## {title(escaped)}", main_table(board).markdown(), *reading(escaped)]
    parts += [_image(file, svg) for file, svg in (figures or {}).items()]
    parts += [_folded(name, table) for name, table in detail_tables(board).items()]
    if published := published_table(board):
        heading = f"## Published elsewhere, not ranked ({escaped.primary.heading})"
        parts += [heading, published.markdown()]
    parts += ["## Notes", *map(unescaped_code, notes(escaped)), unescaped_code(about), _FILES]
    return "\n\n".join(part for part in parts if part) + "\n"


def _image(file: str, svg: str) -> str:
    """Return a figure as an image, whose text is the title of the figure."""
    named = unescape(svg.partition("<title>")[2].partition("</title>")[0])
    return f"![{escaped_markdown(shortened(named))}]({file})"


def _folded(heading: str, table: Table) -> str:
    """Return a table that a reader unfolds."""
    return f"<details>\n<summary>{heading}</summary>\n\n{table.markdown()}\n\n</details>"
