"""What the verbs share: options, and what goes to which stream."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable
from contextlib import redirect_stdout
from typing import TYPE_CHECKING, Any

import click

from bench.core.errors import Exit
from bench.core.printable import printable, printable_json

if TYPE_CHECKING:
    from bench.config.bench_toml import Config

Load = Callable[[], "Config"]

EXITS = """\b
Exit codes:
  0    done
  1    some tasks, sweep trials or profiles failed, or some images could not be read
  2    usage or configuration
  3    nothing selected
  4    a regression was found, where --fail-on regress asks
  5    verification failed, or a record or file of results cannot be used
  130  interrupted; the last line says what resumes
"""


_LINES = "\n\t"
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
    import msgspec

    document = json.dumps(msgspec.to_builtins(data), indent=1, ensure_ascii=False)
    # JSON leaves most control characters as they are, and a terminal would obey them.
    click.echo(printable_json(document), file=click.get_current_context().meta[_STDOUT])


suite_argument = click.argument("suite", default="quick")
as_json_option = click.option(
    "--json",
    "as_json",
    is_flag=True,
    callback=_reserve_stdout,
    help="One JSON document on stdout.",
)


def say(sentence: str, **style: Any) -> None:  # noqa: ANN401 (click's own)
    """Print a sentence on stderr."""
    # click knows terminals, but not https://no-color.org.
    color = False if os.environ.get("NO_COLOR") else None
    click.secho(printable(sentence, _LINES), err=True, color=color, **style)


def say_faults(faults: Iterable[str]) -> Exit:
    """Say each fault of a record, and return the exit code where nothing worse has happened."""
    code = Exit.DONE
    for fault in faults:
        say(printable(fault), fg="red")
        code = Exit.UNVERIFIED
    return code


def report(text: str, data: object, *, as_json: bool) -> None:
    """Print `data` as the one document on stdout and the text on stderr, or just the text."""
    click.echo(printable(text, _LINES), err=as_json)
    if as_json:
        print_json(data)
