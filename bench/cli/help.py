"""Help pages that break lines between words only, and keep examples as they are."""

from __future__ import annotations

from collections.abc import Iterable
from inspect import cleandoc

import click

from bench.core.text_width import text_width, wrapped

POINTER = "`bench --help` lists the exit codes."


class WholeWords(click.HelpFormatter):
    """A help formatter that never breaks a word, not even at a hyphen as click does."""

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        """Write the usage line."""
        self._write(f"{prefix or 'Usage: '}{prog} {args}".rstrip(), "    ")

    def write_text(self, text: str) -> None:
        """Write paragraphs; one with indented lines, such as examples, is written as it is."""
        indent = " " * self.current_indent
        for number, paragraph in enumerate(text.split("\n\n")):
            if number:
                self.write("\n")
            lines = paragraph.splitlines()
            if any(line.startswith(" ") for line in lines):
                self.write("".join(f"{indent}{line}\n" for line in lines))
            else:
                self._write(f"{indent}{' '.join(' '.join(lines).split())}", indent)

    def write_dl(
        self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2
    ) -> None:
        """Write a list of terms, each with its meaning to the right of it."""
        listed = [*rows]
        column = min(max(text_width(term) for term, _ in listed), col_max) + col_spacing
        margin = " " * (self.current_indent + column)
        for term, meaning in listed:
            start = f"{' ' * self.current_indent}{term}"
            if text_width(start) > len(margin) - col_spacing:
                self._write(start, margin)
                start = ""
            text = " ".join(meaning.split())
            self._write(f"{start.ljust(len(margin))}{text}".rstrip(), margin)

    def _write(self, line: str, indent: str) -> None:
        self.write("".join(f"{each}\n" for each in wrapped(line, self.width, indent)))


class HelpContext(click.Context):
    """A click context whose help is formatted by `WholeWords`."""

    formatter_class = WholeWords


def set_help(command: click.Command) -> None:
    """Format the help of a command by `WholeWords`, and list it with its whole first sentence."""
    command.context_class = HelpContext
    command.epilog = POINTER
    command.short_help = " ".join(cleandoc(command.help or "").split("\n\n")[0].split())
