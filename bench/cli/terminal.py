"""What the verbs share: options, and what goes to which stream."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable
from contextlib import redirect_stdout
from typing import TYPE_CHECKING, Any, TextIO

import click

from bench.core.errors import Exit
from bench.core.printable import printable, printable_json
from bench.core.text_table import Text, draw

if TYPE_CHECKING:
    from bench.config.bench_toml import Config

Load = Callable[[], "Config"]

EXITS = """\b
Exit codes:
  0    done
  1    tasks, sweep trials, profiles or checks failed, or images could not be read
  2    usage or configuration
  3    nothing selected
  4    a regression was found, where --fail-on regress asks
  5    verification failed, or a record or file of results cannot be used
  130  interrupted; the last line says what resumes
"""

_LINES = "\n\t"
_WIDE = "bench.wide"
"""Where a context of click keeps whether tables may be wider than the terminal."""
_LOG_FORMAT = "bench.log_format"
"""Where a context of click keeps the format of what is said on stderr."""
_STDOUT = "bench.stdout"
"""Where a context of click keeps the stdout of one document."""


def _reserve_stdout(context: click.Context, _parameter: click.Parameter, as_json: bool) -> bool:  # noqa: FBT001 (click's)
    """Send to stderr whatever else is printed, as by a component or an imported package."""
    if as_json:
        context.meta[_STDOUT] = sys.stdout
        context.with_resource(redirect_stdout(sys.stderr))
    return as_json


def print_json(data: object) -> None:
    """Print the one document of `--json`."""
    click.echo(json_text(data), file=click.get_current_context().meta[_STDOUT])


def json_text(data: object) -> str:
    """Return the document of `--json`."""
    import msgspec

    document = json.dumps(msgspec.to_builtins(data), indent=1, ensure_ascii=False)
    # JSON leaves most control characters as they are, and a terminal would obey them.
    return printable_json(document)


def print_document(content: bytes) -> None:
    """Print a document on stdout, to the byte; a terminal gets nothing that it would obey."""
    if sys.stdout.isatty():
        content = printable_json(content.decode().replace("\r\n", "\n")).encode()
    click.echo(content, nl=False)


suite_argument = click.argument("suite", default="quick")
as_json_option = click.option(
    "--json",
    "as_json",
    is_flag=True,
    callback=_reserve_stdout,
    help="One JSON document on stdout.",
)


def _keep_wide(context: click.Context, _parameter: click.Parameter, wide: bool) -> None:  # noqa: FBT001 (click's)
    # It may stand before the verb and behind it.
    context.meta[_WIDE] = wide or context.meta.get(_WIDE, False)


wide_option = click.Option(
    ["--wide"],
    is_flag=True,
    expose_value=False,
    callback=_keep_wide,
    help="Print every column of a table, however wide, and each row in one line.",
)


def _keep_format(context: click.Context, _parameter: click.Parameter, name: str) -> str:
    context.meta[_LOG_FORMAT] = name
    return name


log_format_option = click.option(
    "--log-format",
    type=click.Choice(["text", "json"]),
    default="text",
    callback=_keep_format,
    help="`json`: one line of JSON per event on stderr, see `bench docs boards`.",
)


def say(sentence: str, **style: Any) -> None:  # noqa: ANN401 (click's own)
    """Print a sentence on stderr: wrapped at words on a terminal, else in its own lines."""
    context = click.get_current_context(silent=True)
    if context and context.meta.get(_LOG_FORMAT) == "json":
        from bench.execution.json_lines import json_line

        click.echo(json_line("message", text=sentence), err=True)
        return
    shown = printable(sentence, _LINES)
    if sys.stderr.isatty():
        shown = draw(shown, terminal_width(sys.stderr))
    click.secho(shown, err=True, color=has_color(sys.stderr), **style)


def print_text(text: Text, *, err: bool = False) -> None:
    """Print paragraphs and tables on stdout, or on stderr, fitted to the terminal."""
    stream = sys.stderr if err else sys.stdout
    color = has_color(stream)
    wide = click.get_current_context().meta.get(_WIDE, False)
    drawn = draw(text, terminal_width(stream), wide=wide, color=color)
    click.echo(drawn, file=stream, color=color)


def say_faults(faults: Iterable[str]) -> Exit:
    """Say each fault of a record, and return the exit code where nothing worse has happened."""
    code = Exit.DONE
    for fault in faults:
        say(printable(fault), fg="red")
        code = Exit.UNVERIFIED
    return code


def report(text: Text, data: object, *, as_json: bool) -> None:
    """Print `data` as the one document on stdout and the text on stderr, or just the text."""
    print_text(text, err=as_json)
    if as_json:
        print_json(data)


def terminal_width(stream: TextIO) -> int | None:
    """Return COLUMNS, else the columns of the terminal behind a stream; None of a pipe or a file.

    So what goes to `grep` or into a log has each row and each sentence in one line.
    """
    columns = os.environ.get("COLUMNS", "")
    if columns.isdecimal() and int(columns):
        return int(columns)
    try:
        # A terminal that does not know its size says 0.
        return os.get_terminal_size(stream.fileno()).columns or None
    except (OSError, ValueError):
        return None


def has_color(stream: TextIO) -> bool:
    """Return whether a stream shows color, as no-color.org and bixense.com/clicolors have it."""
    if os.environ.get("NO_COLOR"):
        return False
    if any(
        os.environ.get(name, "0") not in {"", "0"} for name in ("FORCE_COLOR", "CLICOLOR_FORCE")
    ):
        return True
    return stream.isatty() and os.environ.get("TERM") != "dumb"
