"""Options that several verbs have, and printing to stdout and stderr."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable
from contextlib import redirect_stdout
from typing import TYPE_CHECKING, Any, TextIO

import click

from bench.cli.completion import complete_suite
from bench.core.errors import Exit
from bench.core.printable import printable, printable_json
from bench.core.text_table import Text, draw

if TYPE_CHECKING:
    from bench.config.bench_toml import Config

Load = Callable[[], "Config"]

EXITS = """
Exit codes:
  0    done
  1    a task, sweep trial, profile, check or download failed; a bad image
  2    wrong usage or configuration
  3    nothing was selected, or there is nothing to show, publish or download
  4    --fail-on regress found a regression
  5    verification failed, or a file of results is damaged
  130  interrupted; the last line names the command that resumes
"""

_LINES = "\n\t"
_WIDE = "bench.wide"
"""The key of --wide in the meta of click's context."""
_LOG_FORMAT = "bench.log_format"
"""The key of --log-format in the meta of click's context."""
_STDOUT = "bench.stdout"
"""The key of the stream that the document of --json is printed to."""


def _reserve_stdout(context: click.Context, _parameter: click.Parameter, as_json: bool) -> bool:  # noqa: FBT001 (click's)
    """Redirect other output to stderr, such as that of a component or an imported package."""
    if as_json:
        context.meta[_STDOUT] = sys.stdout
        context.with_resource(redirect_stdout(sys.stderr))
    return as_json


def print_json(data: object) -> None:
    """Print the JSON document of `--json` on stdout."""
    click.echo(json_text(data), file=click.get_current_context().meta[_STDOUT])


def json_text(data: object) -> str:
    """Return the JSON document of `--json`."""
    import msgspec

    document = json.dumps(msgspec.to_builtins(data), indent=1, ensure_ascii=False)
    # JSON leaves most control characters unescaped, and a terminal would interpret them.
    return printable_json(document)


def print_document(content: bytes) -> None:
    """Print a document on stdout: its exact bytes, or without control characters on a terminal."""
    if sys.stdout.isatty():
        content = printable_json(content.decode().replace("\r\n", "\n")).encode()
    click.echo(content, nl=False)


def _default_suite(context: click.Context, _parameter: click.Parameter, suite: str | None) -> str:
    if suite is None and context.obj:  # not while only the command line is parsed
        config = context.obj()
        context.obj = lambda: config  # bench.toml is read once
        return str(config.default_suite)
    return suite or "quick"


suite_argument = click.argument(
    "suite", required=False, callback=_default_suite, shell_complete=complete_suite
)
as_json_option = click.option(
    "--json",
    "as_json",
    is_flag=True,
    callback=_reserve_stdout,
    help="Print one JSON document on stdout.",
)


def _keep_wide(context: click.Context, _parameter: click.Parameter, wide: bool) -> None:  # noqa: FBT001 (click's)
    # The option is accepted before and after the verb.
    context.meta[_WIDE] = wide or context.meta.get(_WIDE, False)


wide_option = click.Option(
    ["--wide"],
    is_flag=True,
    expose_value=False,
    callback=_keep_wide,
    help="Print all columns of tables, and each row in one line.",
)


def _keep_format(context: click.Context, _parameter: click.Parameter, name: str) -> str:
    context.meta[_LOG_FORMAT] = name
    return name


log_format_option = click.option(
    "--log-format",
    type=click.Choice(["text", "json"]),
    default="text",
    callback=_keep_format,
    help="`json` prints one line of JSON per event on stderr (`bench docs watching`).",
)


def say(sentence: str, **style: Any) -> None:  # noqa: ANN401 (click's own)
    """Print a sentence on stderr; on a terminal it is wrapped at words."""
    context = click.get_current_context(silent=True)
    if context and context.meta.get(_LOG_FORMAT) == "json":
        from bench.execution.json_lines import json_line

        click.echo(json_line("message", text=sentence), err=True)
        return
    text = printable(sentence, _LINES)
    if sys.stderr.isatty():
        text = draw(text, terminal_width(sys.stderr))
    click.secho(text, err=True, color=has_color(sys.stderr), **style)


def print_text(text: Text, *, err: bool = False) -> None:
    """Print paragraphs and tables on stdout or stderr, fitted to the width of the terminal."""
    stream = sys.stderr if err else sys.stdout
    color = has_color(stream)
    wide = click.get_current_context().meta.get(_WIDE, False)
    drawn = draw(text, terminal_width(stream), wide=wide, color=color)
    click.echo(drawn, file=stream, color=color)


def say_faults(faults: Iterable[str]) -> Exit:
    """Print each fault of a record; return the exit code that faults alone lead to."""
    code = Exit.DONE
    for fault in faults:
        say(printable(fault), fg="red")
        code = Exit.UNVERIFIED
    return code


def report(text: Text, data: object, *, as_json: bool) -> None:
    """Print `text` on stdout; with --json, print `data` on stdout and the text on stderr."""
    print_text(text, err=as_json)
    if as_json:
        print_json(data)


def terminal_width(stream: TextIO) -> int | None:
    """Return COLUMNS, else the width of the terminal that a stream writes to, else None.

    In a pipe or a file there is no width, so that each row and sentence is one line for `grep`.
    """
    columns = os.environ.get("COLUMNS", "")
    if columns.isdecimal() and int(columns):
        return int(columns)
    try:
        # Some terminals report a width of 0.
        return os.get_terminal_size(stream.fileno()).columns or None
    except (OSError, ValueError):
        return None


def has_color(stream: TextIO) -> bool:
    """Return whether to print colors, as no-color.org and bixense.com/clicolors define it."""
    if os.environ.get("NO_COLOR"):
        return False
    if any(
        os.environ.get(name, "0") not in {"", "0"} for name in ("FORCE_COLOR", "CLICOLOR_FORCE")
    ):
        return True
    return stream.isatty() and os.environ.get("TERM") != "dumb"
