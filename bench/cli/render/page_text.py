"""A page of documentation as text for a terminal."""

from __future__ import annotations

from io import StringIO
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markdown_it.token import Token

_MAX_WIDTH = 100
_STYLES = {"markdown.code": "bold cyan", "markdown.code_block": "none"}
"""Those of rich have a black background, which stands out on a light terminal."""


def page_text(markdown: str, width: int | None, *, color: bool) -> str:
    """Return Markdown as lines of text.

    A link to another page shows the command that prints that page.

    Args:
        markdown: The page.
        width: Columns of the terminal; lines of prose have at most 100.
        color: Whether to use colors and bold letters.
    """
    from rich.console import Console
    from rich.markdown import Markdown
    from rich.theme import Theme

    page = Markdown(markdown, hyperlinks=False, code_theme="ansi_dark")
    _name_commands(page.parsed)
    stream = StringIO()
    columns = min(width or _MAX_WIDTH, _MAX_WIDTH)
    console = Console(
        file=stream,
        width=columns,
        force_terminal=color,
        color_system="standard" if color else None,
        theme=Theme(_STYLES),
    )
    console.print(page)
    lines = (line.rstrip() for line in stream.getvalue().splitlines())
    return "\n".join(lines) + "\n"


def _name_commands(tokens: list[Token]) -> None:
    """Replace links to other pages by the commands that print them."""
    for token in tokens:
        if token.type == "link_open":
            file = PurePosixPath(str(token.attrs.get("href", "")).partition("#")[0])
            if file.suffix == ".md" and ":" not in str(file):
                token.attrs["href"] = f"bench docs {file.stem}"
        _name_commands(token.children or [])
