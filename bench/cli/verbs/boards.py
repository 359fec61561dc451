"""The verb `board` and its commands."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bench.cli.path_option import LOCAL_PATH
from bench.cli.terminal import EXITS, Load, as_json_option, report, say, say_faults
from bench.cli.verbs.selection import Selection
from bench.core.errors import BenchError, Exit

if TYPE_CHECKING:
    from bench.config.bench_toml import Config
    from bench.leaderboards.board import Board


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
    subcommand_metavar="[SUITE] [OPTIONS] | diff [A [B]]",
)
def board() -> None:
    """Write and print the working leaderboard of SUITE, or publish it.

    The working board follows from the records at hand and is written beside them, into
    `results/boards/SUITE/`. --publish writes `leaderboards/SUITE/vN/`: the next version where
    protocol or test sets changed. Where nothing of SUITE has run here, the published board is
    printed. `bench board SUITE` is short for `bench board write SUITE`; SUITE is `quick` unless
    named, and with --check all suites.
    """


@board.command(epilog=EXITS)
@click.argument("suite", required=False)
@click.option("--publish", is_flag=True, help="Write the published board, after what it changes.")
@click.option(
    "--partial",
    is_flag=True,
    help="Publish what is incomplete or without valid latencies, too; published rows with more "
    "evaluations stay.",
)
@click.option(
    "--check",
    is_flag=True,
    help="Write nothing; compare each published board and the index with what its samples give.",
)
@click.option(
    "--html",
    type=LOCAL_PATH,
    metavar="OUT",
    help="Write no board, but its web page into the folder OUT, with an index and with what the "
    "records at hand say of single samples; without SUITE, those of all published boards.",
)
@as_json_option
@click.pass_obj
def write(
    load: Load,
    suite: str | None,
    *,
    publish: bool,
    partial: bool,
    check: bool,
    html: Path | None,
    as_json: bool,
) -> int:
    """Write and print the leaderboard of SUITE, publish it, or check what is published."""
    if check and publish:
        raise click.UsageError("--check writes nothing and --publish does; omit one of them")
    if partial and not publish:
        raise click.UsageError("--partial is about --publish; add that, or omit it")
    if html and (check or publish):
        raise click.UsageError("--html writes web pages alone; omit --check and --publish")
    config = load()
    if html:
        _write_site(config, suite, html, as_json=as_json)
        return Exit.DONE
    if check:
        _check(config.leaderboards, suite, as_json=as_json)
        return Exit.DONE
    if publish:
        return _publish(config, suite or "quick", partial=partial, as_json=as_json)
    return _print(config, suite or "quick", as_json=as_json)


@board.command(epilog=EXITS)
@click.argument("before", required=False)
@click.argument("after", required=False)
@as_json_option
@click.pass_obj
def diff(load: Load, before: str | None, after: str | None, *, as_json: bool) -> None:
    """Say what changed from the board BEFORE to the board AFTER, and why.

    A board is `suite/vN`, `suite` (its working board, or where there is none the latest version),
    or the folder of one. With BEFORE alone, a suite (`quick` unless named), its latest version is
    compared with its working board.
    """
    from bench.leaderboards import board as boards
    from bench.leaderboards import difference, versions

    config = load()
    if after is None:
        folders = [*_published_and_working(config, before or "quick")]
    else:
        words = (before or "", after)
        folders = [versions.find(word, config.leaderboards, config.results) for word in words]
    old, new = map(boards.read, folders)
    change = difference.difference(old, new)
    report(difference.text(change, new.metrics, terminal_width()), change, as_json=as_json)


def print_board(board: Board, *, as_json: bool) -> None:
    """Print a board, fitted to the terminal."""
    from bench.leaderboards.formats.terminal import terminal_text

    report(terminal_text(board, terminal_width()), board, as_json=as_json)


def terminal_width() -> int:
    """Return the columns of the terminal; 80 where there is none."""
    return shutil.get_terminal_size((80, 24)).columns


def _print(config: Config, word: str, *, as_json: bool) -> Exit:
    """Write and print the working board of a suite, or print a published one."""
    from bench.leaderboards import board as boards
    from bench.leaderboards import board_files, versions, working

    published = versions.published(word, config.leaderboards)
    faults: list[str] = []
    try:
        suite = config.suite(word)
        Selection().say_unavailable(suite)
        made, counts = working.draw(config, suite, faults)
        reason = "" if any(row.seeds for row in made.rows) else f"nothing of '{word}' has run here"
    except BenchError as error:
        # Data are not prepared, a component is not installed, or there is no such suite.
        if published is None:
            raise
        reason = str(error)
    if not reason:
        folder = versions.working_path(config.results, word)
        board_files.write(made, counts, folder)
        print_board(made, as_json=as_json)
        say(f"written to {folder}")
        return say_faults(faults)
    code = say_faults(faults)
    if published is None:
        raise BenchError(
            f"{reason}, and no board is published; run: bench run {word}", Exit.NOTHING
        )
    print_board(boards.read(published), as_json=as_json)
    if not word.partition("/")[2]:
        say(f"this is the published board {published}, because {reason}")
    return code


def _published_and_working(config: Config, suite: str) -> tuple[Path, Path]:
    from bench.leaderboards import versions

    working = versions.working_path(config.results, suite)
    published = versions.published(suite, config.leaderboards)
    if not versions.is_board(working):
        raise BenchError(
            f"'{suite}' has no working board; run: bench run {suite}, or name two boards",
            Exit.NOTHING,
        )
    if published is None:
        raise BenchError(f"{config.leaderboards}: no board of '{suite}' is published", Exit.NOTHING)
    return published, working


def _publish(config: Config, name: str, *, partial: bool, as_json: bool) -> Exit:
    """Say what publishing changes, then publish, or refuse what is incomplete."""
    from bench.leaderboards import board_files, difference, publish, versions, working

    suite = config.suite(name)
    Selection().say_unavailable(suite)
    faults: list[str] = []
    made, counts = working.draw(config, suite, faults)
    code = say_faults(faults)
    board_files.write(made, counts, versions.working_path(config.results, name))
    publication = publish.prepare(made, counts, config.leaderboards, partial=partial)
    board = publication.board
    if publication.change:
        say(difference.text(publication.change, board.metrics, terminal_width()))
    else:
        say(f"{board.name} is the first version of this board")
    if publication.problems and not partial:
        raise BenchError(
            f"{board.name} is not published: {'; '.join(publication.problems)}; or publish it as "
            "it is with --partial",
            Exit.UNVERIFIED,
        )
    folder = publish.publish(publication, config.leaderboards)
    print_board(board, as_json=as_json)
    say(f"published to {folder}")
    return code


def _write_site(config: Config, word: str | None, folder: Path, *, as_json: bool) -> None:
    """Write the pages of the board that `word` means, or of all published boards."""
    from bench.leaderboards.web import boards_site, site
    from bench.trials.store import Store

    folders = boards_site.folders(config.leaderboards, config.results, word)
    if not folders:
        raise BenchError(f"{config.leaderboards}: no board is published", Exit.NOTHING)
    site.write(boards_site.boards_site(folders, Store(config.results), {}), folder)
    index = str(folder / site.INDEX)
    report(f"written: {index}", index, as_json=as_json)


def _check(root: Path, suite: str | None, *, as_json: bool) -> None:
    from bench.leaderboards import rebuild, versions

    checked = [versions.name(folder) for folder in rebuild.check_all(root, suite)]
    report(f"as their samples give them: {', '.join(checked)}", checked, as_json=as_json)
