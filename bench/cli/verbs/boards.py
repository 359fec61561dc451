"""The verb `board` and its commands."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bench.cli.terminal import EXITS, Load, as_json_option, report, say

if TYPE_CHECKING:
    from bench.config.bench_toml import Config
    from bench.config.suite import Suite
    from bench.leaderboards.aggregate import Board


class _Boards(click.Group):
    """A group that means its command `write` where none is named, and shows its options."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put `write` before words that begin with no command."""
        if not args or args[0] not in {*self.commands, *ctx.help_option_names}:
            args = ["write", *args]
        return super().parse_args(ctx, args)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the options of `write`, then the commands."""
        self.commands["write"].format_options(ctx, formatter)
        self.format_commands(ctx, formatter)


@click.group(
    cls=_Boards,
    epilog=EXITS,
    options_metavar="",
    subcommand_metavar="[SUITE] [OPTIONS] | diff A B",
)
def board() -> None:
    """Write and print the leaderboard of SUITE from its records.

    A board has versions, and a version one protocol and one set of data: where these have moved,
    nothing is written until --next starts the next version. `bench board SUITE` is short for
    `bench board write SUITE`; SUITE is `quick` unless named, and with --check all suites.
    """


@board.command(epilog=EXITS)
@click.argument("suite", required=False)
@click.option("--next", "start_next", is_flag=True, help="Start the next version of the board.")
@click.option(
    "--check",
    is_flag=True,
    help="Write nothing; compare each version and the index with what the seeds in it give.",
)
@as_json_option
@click.pass_obj
def write(load: Load, suite: str | None, *, start_next: bool, check: bool, as_json: bool) -> None:
    """Write and print the leaderboard of SUITE, or check what is written."""
    if check and start_next:
        raise click.UsageError("--check writes nothing and --next does; leave one of them out")
    if check:
        _check(load().leaderboards, suite, as_json=as_json)
    else:
        config = load()
        write_board(config, config.suite(suite or "quick"), start_next=start_next, as_json=as_json)


@board.command(epilog=EXITS)
@click.argument("before")
@click.argument("after")
@as_json_option
@click.pass_obj
def diff(load: Load, before: str, after: str, *, as_json: bool) -> None:
    """Say what moved from the board BEFORE to the board AFTER, and why.

    A board is `suite/vN`, `suite` (its latest version), or the folder of a version.
    """
    from bench.leaderboards import difference, render, versions

    root = load().leaderboards
    found = difference.between(*(render.read(versions.find(w, root)) for w in (before, after)))
    report(difference.text(found), found, as_json=as_json)


def write_board(config: Config, suite: Suite, *, as_json: bool, start_next: bool = False) -> None:
    """Draw the board of `suite` from its records, write it and print it."""
    from bench.leaderboards import aggregate, index, render, versions
    from bench.leaderboards import board_samples as samples
    from bench.trials import grid, plan
    from bench.trials.store import Store

    store = Store(config.results)
    entries = plan.survey(grid.trials(suite), store)
    version = versions.current(suite, config.leaderboards, start_next=start_next)
    found = samples.gather(entries, store)
    made: Board = aggregate.board(suite, entries, list(store.profiles()), version, found)
    versions.guard(made, config.leaderboards)
    for dataset in {row.dataset for row in made.rows if row.seeds} - found.keys():
        say(f"no intervals on {dataset}: predictions are gone; `bench verify` names them")
    folder = render.write(made, config.leaderboards, found)
    index.write(config.leaderboards)
    report(render.text(made), made, as_json=as_json)
    say(f"written to {folder}")


def _check(root: Path, suite: str | None, *, as_json: bool) -> None:
    from bench.leaderboards import versions
    from bench.leaderboards.rebuild import check

    checked = [versions.name(folder) for folder in check(root, suite)]
    report(f"as their seeds give them: {', '.join(checked)}", checked, as_json=as_json)
