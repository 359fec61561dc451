"""Pages of Markdown or HTML made of paragraphs and tables."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from bench.core.printable import escaped_markdown, printable, shortened
from bench.core.text_table import Styled, Table

_LINES = "\n"
_STYLE = (
    ":root{color-scheme:light dark}body{font:1rem/1.5 system-ui,sans-serif;margin:2rem auto;"
    "max-width:70rem;padding:0 1rem}p{white-space:pre-line}table{border-collapse:collapse;"
    "display:block;overflow-x:auto}th,td{border-bottom:1px solid #8886;padding:.3rem .7rem;"
    "text-align:left}.right{text-align:right;font-variant-numeric:tabular-nums}"
    ".failed{color:light-dark(#b00020,#ff8a80);font-weight:bold}"
    ".best{color:light-dark(#006d32,#7ee2a8);font-weight:bold}"
)
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def markdown_page(blocks: Sequence[str | Table]) -> str:
    """Return paragraphs and tables as Markdown, such as for a comment on a pull request."""
    parts = [
        block.markdown() if isinstance(block, Table) else _markdown_paragraph(block)
        for block in blocks
    ]
    return "\n\n".join(parts) + "\n"


def html_page(title: str, blocks: Sequence[str | Table]) -> str:
    """Return paragraphs and tables as an HTML page that loads no other file."""
    parts = [
        html_table(block)
        if isinstance(block, Table)
        else f"<p>{escape(printable(block, _LINES))}</p>"
        for block in blocks
    ]
    head = (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        f"<title>{escape(shortened(title))}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
    )
    body = "\n".join([f"<h1>{escape(shortened(title))}</h1>", *parts])
    return f"{head}<main>\n{body}\n</main>\n</body>\n</html>\n"


def _markdown_paragraph(text: str) -> str:
    first, *others = text.split("\n")
    items = [f"- {escaped_markdown(line.strip())}" for line in others]
    return "\n".join([escaped_markdown(first), *([""] if items else []), *items])


def html_table(table: Table) -> str:
    """Return a table as HTML, in which no text is markup."""

    def row(tag: str, cells: Sequence[str]) -> str:
        elements = []
        for header, cell in zip(table.headers, cells, strict=True):
            classes = ["right"] if header in table.right else []
            classes += [cell.style] if isinstance(cell, Styled) else []
            attribute = f' class="{" ".join(classes)}"' if classes else ""
            scope = ' scope="col"' if tag == "th" else ""
            elements.append(f"<{tag}{scope}{attribute}>{escape(shortened(cell))}</{tag}>")
        return f"<tr>{''.join(elements)}</tr>"

    lines = [
        "<table>",
        f"<thead>{row('th', table.headers)}</thead>",
        "<tbody>",
        *(row("td", cells) for cells in table.rows),
        "</tbody>",
        "</table>",
    ]
    return "\n".join(lines)
