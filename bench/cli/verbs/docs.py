"""The verb `docs`: the pages of documentation, on a terminal."""

from __future__ import annotations

import sys

import click

from bench.cli.completion import complete_page
from bench.cli.terminal import has_color, print_text, terminal_width
from bench.core.errors import BenchError
from bench.core.text_table import Table, Text


@click.command()
@click.argument("page", required=False, shell_complete=complete_page)
@click.option("--raw", is_flag=True, help="Print the Markdown of the page, as in a pipe.")
@click.option(
    "--path", "as_path", is_flag=True, help="Print the path of the page, or of all pages."
)
def docs(page: str | None, *, raw: bool, as_path: bool) -> None:
    """List the pages of documentation, or print PAGE.

    On a terminal a page is formatted and shown in the pager of PAGER; in a pipe or a file it is
    Markdown. Links name the command that prints the page they lead to.
    """
    from bench.core.documentation import find_page
    from bench.core.package_data import package_data

    if raw and page is None:
        raise BenchError("--raw prints one page; name it, as in `bench docs statistics --raw`")
    chosen = find_page(page) if page is not None else None
    if as_path:
        click.echo(chosen.file if chosen else package_data("docs"))
    elif chosen is None:
        print_text(_contents())
    else:
        from bench.cli.render.api_text import with_docstrings

        _print_page(with_docstrings(chosen.text()), formatted=not raw and sys.stdout.isatty())


def _print_page(markdown: str, *, formatted: bool) -> None:
    """Print a page as it is, or formatted in the pager."""
    if not formatted:
        click.echo(markdown, nl=False)
        return
    from bench.cli.render.page_text import page_text

    color = has_color(sys.stdout)
    text = page_text(markdown, terminal_width(sys.stdout), color=color)
    click.echo_via_pager(text, color=color)


def _contents() -> Text:
    """Return the pages by section, each with its first sentence."""
    from bench.core.documentation import SECTIONS, pages

    rows: dict[str, list[tuple[str, str]]] = {section: [] for section in SECTIONS}
    for page in pages():
        rows[page.section].append((page.name, page.first_sentence()))
    tables = [Table([SECTIONS[section], ""], rows[section]) for section in rows if rows[section]]
    return [*tables, "`bench docs PAGE` prints a page."]
