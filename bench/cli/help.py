"""Help pages whose lines end between words."""

from __future__ import annotations

from collections.abc import Iterable
from inspect import cleandoc

import click

from bench.core.text_width import text_width, wrapped

POINTER = "`bench --help` lists the exit codes."


class WholeWords(click.HelpFormatter):
    """A formatter that breaks no word, at hyphens neither, where click's does."""

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
        """Write terms, and beside each what it means."""
        listed = [*rows]
        room = min(max(text_width(term) for term, _ in listed), col_max) + col_spacing
        margin = " " * (self.current_indent + room)
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
    """A context whose help is written by `WholeWords`."""

    formatter_class = WholeWords


def set_help(command: click.Command) -> None:
    """Have a command print help of whole words, and its group the whole of its first sentence."""
    command.context_class = HelpContext
    command.epilog = POINTER
    command.short_help = " ".join(cleandoc(command.help or "").split("\n\n")[0].split())
