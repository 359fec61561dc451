"""The page of the command line: every verb with its arguments and options, from click."""

from __future__ import annotations

from collections.abc import Iterator
from inspect import cleandoc

import click
from tables import GENERATED, quoted, table

from bench.cli import app
from bench.cli.terminal import EXITS

HEAD = f"""# Command line

{GENERATED}

Every verb of `bench`, as `bench VERB --help` prints it. Options of `bench` itself are given before the verb.
[command-line-setup.md](command-line-setup.md) explains how to begin, and completion in a shell.
"""


def page() -> str:
    """Return the page."""
    context = click.Context(app, info_name="bench")
    general = table(("option", "what it does"), options(app, context))
    exits = [line.split(maxsplit=1) for line in EXITS.splitlines() if line.startswith("  ")]
    codes = table(("exit code", "meaning"), ((quoted(code), text) for code, text in exits))
    shared = {*(name for name, _ in options(app, context))}
    parts = [HEAD, general, "## Exit codes\n", codes, *sections(app, context, shared)]
    return "\n".join(parts)


def sections(group: click.Group, context: click.Context, shared: set[str]) -> Iterator[str]:
    """Yield the section of each command of a group; options of `bench` itself are left out."""
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        below = click.Context(command, info_name=name, parent=context)
        yield f"## {below.command_path}\n"
        usage = " ".join(command.collect_usage_pieces(below))
        yield f"```text\n{below.command_path} {usage}\n```\n"
        yield paragraphs(command.help or "")
        rows = [row for row in options(command, below) if row[0] not in shared]
        if rows:
            yield table(("option", "what it does"), rows)
        if isinstance(command, click.Group):
            yield from sections(command, below, shared)


def options(command: click.Command, context: click.Context) -> list[tuple[str, str]]:
    """Return the names of each option and what it does; arguments are in the usage line."""
    records = (parameter.get_help_record(context) for parameter in command.get_params(context))
    return [(quoted(names), text) for names, text in filter(None, records) if text]


def paragraphs(text: str) -> str:
    """Return the help of a command, with examples and lists in blocks of their own."""
    return "\n\n".join(map(_paragraph, cleandoc(text).split("\n\n"))) + "\n"


def _paragraph(text: str) -> str:
    """Return a paragraph; one with indented lines as a block of text, as `--help` prints it."""
    lines = text.splitlines()
    if not any(line.startswith(" ") for line in lines):
        return text
    before = [] if lines[0].startswith(" ") else [lines.pop(0), ""]
    return "\n".join([*before, "```text", *(line.removeprefix("  ") for line in lines), "```"])
