"""The verb `init`: a bench.toml to begin with."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import click

from bench.cli.path_option import LOCAL_PATH
from bench.cli.terminal import print_text, say
from bench.core.text_table import Table
from bench.scaffolding.starters import STARTERS, Starter, write_starter


@click.command()
@click.argument("folder", type=LOCAL_PATH, default=".")
@click.option("--kind", type=click.Choice([*STARTERS]), help="What to begin with.")
def init(folder: Path, kind: str | None) -> None:
    """Write a commented bench.toml into FOLDER, and print the commands that follow.

    FOLDER is the current folder unless named. No file is ever replaced.

    Kinds:
      try      a board in about three minutes, without data of your own
      words    train and rank recognizers on your own words
      lines    train and rank recognizers on your own lines of text
      clips    train and rank recognizers on your own clips (sign language)
      losses   compare losses, also one of your own
      readers  rank pretrained readers on your own words

    Examples:
      bench init --kind try
      bench init handwriting --kind lines
    """
    starter = STARTERS[kind or _chosen_kind()]
    written = write_starter(folder, starter)
    print_text([f"Written: {', '.join(map(str, written))}", _next_steps(folder, starter)])


def _chosen_kind() -> str:
    """Ask for a kind on a terminal. Raises UsageError if there is none."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise click.UsageError(f"name what to begin with: --kind {' | '.join(STARTERS)}")
    say("Begin with:")
    for number, starter in enumerate(STARTERS.values(), 1):
        say(f"  {number}  {starter.kind.ljust(8)} {starter.about}")
    number = click.prompt("Number", type=click.IntRange(1, len(STARTERS)), default=1, err=True)
    return [*STARTERS][number - 1]


def _next_steps(folder: Path, starter: Starter) -> Table:
    """Return the commands that follow, each with its purpose."""
    rows = [[command, purpose] for command, purpose in starter.next.items()]
    if folder.absolute() != Path.cwd():
        rows.insert(0, [f"cd {shlex.quote(str(folder))}", ""])
    return Table(["next", ""], rows)
