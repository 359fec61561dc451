"""The verb `board`: print, publish, check and compare leaderboards."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bench.cli.completion import complete_suite
from bench.cli.path_option import LOCAL_PATH
from bench.cli.terminal import (
    Load,
    as_json_option,
    json_text,
    print_document,
    print_text,
    report,
    say,
    say_faults,
)
from bench.cli.verbs.selection import say_unavailable
from bench.core.errors import BenchError, Exit

if TYPE_CHECKING:
    from bench.config.bench_toml import Config
    from bench.leaderboards.board import Board
    from bench.leaderboards.samples.column_counts import ColumnCounts


_DOCUMENTS = ("md", "csv", "json", "latex", "html")
_out_option = click.option(
    "-o", "--out", type=LOCAL_PATH, help="Write into this file instead of to stdout."
)


class _Boards(click.Group):
    """A group that calls its command `write` if none is named, and lists the options of that."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Insert `write` before arguments that do not begin with a command."""
        if not args or args[0] not in {*self.commands, *ctx.help_option_names}:
            args = ["write", *args]
        return super().parse_args(ctx, args)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the options of `write`, then the commands."""
        self.commands["write"].format_options(ctx, formatter)
        self.format_commands(ctx, formatter)


@click.group(
    cls=_Boards,
    options_metavar="",
    subcommand_metavar="[SUITE] [OPTIONS] | diff [A [B]]",
)
def board() -> None:
    """Print the leaderboard of SUITE, or publish it.

    The working board is computed from the records and written to `results/boards/SUITE/`. If no
    task of SUITE has run here, the published board is printed. SUITE is the only one of bench.toml,
    or `quick`, unless named; it may also be a version such as `quick/v1` or the folder of a board,
    which is printed as it is. --publish writes `leaderboards/SUITE/vN/`, a new version if the
    protocol or the test sets have changed. `bench board SUITE` is short for `bench board write
    SUITE`.

    Examples:
      bench board quick
      bench board quick --format csv -o quick.csv
      bench board quick --by length
      bench board quick --publish
      bench board --check
    """


@board.command()
@click.argument("suite", required=False, shell_complete=complete_suite)
@click.option(
    "--publish",
    is_flag=True,
    help="Publish the board to leaderboards/, after printing what changes.",
)
@click.option(
    "--partial",
    is_flag=True,
    help="With --publish: accept missing evaluations or latencies. A published row that has more "
    "evaluations is kept.",
)
@click.option(
    "--check",
    is_flag=True,
    help="Compute each published board again from its samples, and compare. Without SUITE, all "
    "boards and their index.",
)
@click.option(
    "--html",
    type=LOCAL_PATH,
    metavar="OUT",
    help="Write web pages of the board into the folder OUT, with details of samples from the "
    "records. Without SUITE, of all published boards.",
)
@click.option(
    "--format",
    "document",
    type=click.Choice([*_DOCUMENTS]),
    help="Print only the board on stdout, in this format.",
)
@click.option(
    "--by",
    metavar="PROPERTY",
    help="Print scores by a property of samples, such as `length` or `case`.",
)
@_out_option
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
    document: str | None,
    by: str | None,
    out: Path | None,
    as_json: bool,
) -> int:
    """Write and print the leaderboard of SUITE, publish it, or check what is published."""
    _require_one_purpose(publish=publish, check=check, html=html, by=by, format=document)
    if as_json and (by or document):
        raise click.UsageError("--json has its own format; omit --by and --format")
    if out and not document:
        raise click.UsageError("--out requires --format")
    if partial and not publish:
        raise click.UsageError("--partial requires --publish")
    config = load()
    if html:
        _write_site(config, suite, html, as_json=as_json)
        return Exit.DONE
    if check:
        _check(config.leaderboards, suite, as_json=as_json)
        return Exit.DONE
    if publish:
        return _publish(config, suite or config.default_suite, partial=partial, as_json=as_json)

    def show(made: Board, counts: Callable[[], Mapping[str, ColumnCounts]]) -> None:
        if document:
            from bench.leaderboards.formats.board_formats import DOCUMENTS

            _write_out(DOCUMENTS[document](made, counts), out)
        elif by:
            from bench.leaderboards.formats.slice_tables import slice_blocks

            print_text(slice_blocks(made, by))
        else:
            print_board(made, as_json=as_json)

    return _print(config, suite or config.default_suite, show)


@board.command()
@click.argument("before", required=False)
@click.argument("after", required=False)
@click.option(
    "--format",
    "document",
    type=click.Choice(["text", "md", "html", "json"]),
    default="text",
    show_default=True,
    help="`md` for a comment on GitHub, `html` for one self-contained page, `json` as with --json.",
)
@_out_option
@click.option(
    "--fail-on",
    type=click.Choice(["regress"]),
    help="End with exit code 4 if a row is lost, or is significantly worse on the same samples by "
    "the metric that ranks.",
)
@as_json_option
@click.pass_obj
def diff(
    load: Load,
    before: str | None,
    after: str | None,
    *,
    document: str,
    out: Path | None,
    fail_on: str | None,
    as_json: bool,
) -> int:
    """Print what changed from the board BEFORE to the board AFTER, and why.

    A board is `suite/vN`, `suite` (its working board, or its latest version if there is none), or
    a folder. If AFTER is missing, BEFORE is a suite (by default that of `bench run`), whose latest
    version is compared with its working board.
    """
    from bench.leaderboards import board as boards
    from bench.leaderboards import difference, gate, versions
    from bench.leaderboards.formats import text_page

    config = load()
    if after is None:
        folders = [*_published_and_working(config, before or config.default_suite)]
    else:
        words = (before or "", after)
        folders = [versions.find_board(word, config.leaderboards, config.results) for word in words]
    old, new = map(boards.read_board, folders)
    change = difference.board_difference(old, new)
    if fail_on:
        regressions = gate.find_regressions((old, folders[0]), (new, folders[1]))
        change = replace(change, regressions=regressions)
    blocks = difference.difference_blocks(change, new.metrics)
    if document == "json" and not as_json:
        _write_out(f"{json_text(change)}\n".encode(), out)
    elif document == "md":
        _write_out(text_page.markdown_page(blocks).encode(), out)
    elif document == "html":
        title = f"{change.before} → {change.after}"
        _write_out(text_page.html_page(title, blocks).encode(), out)
    else:
        report(blocks, change, as_json=as_json)
    return Exit.REGRESSED if change.regressions else Exit.DONE


def print_board(board: Board, *, as_json: bool) -> None:
    """Print a board."""
    from bench.leaderboards.formats.terminal_board import terminal_blocks

    report(terminal_blocks(board), board, as_json=as_json)


def _write_out(content: bytes, out: Path | None) -> None:
    """Write a document into a file, or print it."""
    if out:
        from bench.core.documents import write_bytes

        write_bytes(out, content)
        say(f"written to {out}")
    else:
        print_document(content)


def _print(
    config: Config,
    word: str,
    show: Callable[[Board, Callable[[], Mapping[str, ColumnCounts]]], None],
) -> Exit:
    """Write and print the working board of a suite, or print a published one."""
    from bench.leaderboards import board as boards
    from bench.leaderboards import board_files, versions, working
    from bench.leaderboards.samples import samples_file

    if "/" in word:  # Names of suites have no slash.
        published: Path | None = versions.find_board(word, config.leaderboards, config.results)
    else:
        published = versions.published_version(word, config.leaderboards)
    faults: list[str] = []
    try:
        suite = config.suite(word)
        say_unavailable(suite)
        made, counts = working.compute_working_board(config, suite, faults)
        reason = "" if any(row.seeds for row in made.rows) else f"nothing of '{word}' has run here"
    except BenchError as error:
        # For example data that are not prepared, or a suite that does not exist.
        if published is None:
            raise
        reason = str(error)
    if not reason:
        folder = versions.working_board_path(config.results, word)
        board_files.write_board(made, counts, folder)
        show(made, lambda: counts)
        say(f"written to {folder}")
        return say_faults(faults)
    code = say_faults(faults)
    if published is None:
        raise BenchError(
            f"{reason}, and no board is published; run: bench run {word}", Exit.NOTHING
        )
    made = boards.read_board(published)
    show(made, lambda: samples_file.read_counts(published, made.column_names))
    if not word.partition("/")[2]:
        say(f"this is the published board {published}, because {reason}")
    return code


def _published_and_working(config: Config, suite: str) -> tuple[Path, Path]:
    from bench.leaderboards import versions

    working = versions.working_board_path(config.results, suite)
    published = versions.published_version(suite, config.leaderboards)
    if not versions.is_board(working):
        raise BenchError(
            f"'{suite}' has no working board; run: bench run {suite}, or name two boards",
            Exit.NOTHING,
        )
    if published is None:
        raise BenchError(f"{config.leaderboards}: no board of '{suite}' is published", Exit.NOTHING)
    return published, working


def _publish(config: Config, name: str, *, partial: bool, as_json: bool) -> Exit:
    """Print what publishing changes, then publish; refuse an incomplete board."""
    from bench.leaderboards import board_files, difference, publish, versions, working

    suite = config.suite(name)
    say_unavailable(suite)
    faults: list[str] = []
    made, counts = working.compute_working_board(config, suite, faults)
    code = say_faults(faults)
    board_files.write_board(made, counts, versions.working_board_path(config.results, name))
    publication = publish.prepare_publication(made, counts, config.leaderboards, partial=partial)
    board = publication.board
    if publication.change:
        print_text(difference.difference_blocks(publication.change, board.metrics), err=True)
    else:
        say(f"{board.name} is the first version of this board")
    if publication.problems and not partial:
        raise BenchError(
            f"{board.name} is not published: {'; '.join(publication.problems)}; or publish it "
            "anyway with --partial",
            Exit.UNVERIFIED,
        )
    folder = publish.publish(publication, config.leaderboards)
    print_board(board, as_json=as_json)
    say(f"published to {folder}")
    return code


def _require_one_purpose(**purposes: object) -> None:
    """Raise UsageError if several options are given of which each is a purpose of its own."""
    given = [f"--{name}" for name, purpose in purposes.items() if purpose]
    if len(given) > 1:
        raise click.UsageError(f"{' and '.join(given)} exclude each other; omit all but one")


def _write_site(config: Config, word: str | None, folder: Path, *, as_json: bool) -> None:
    """Write the pages of the board `word`, or of all published boards."""
    from bench.leaderboards.web import boards_site, site
    from bench.trials.store import Store

    folders = boards_site.board_folders(config.leaderboards, config.results, word)
    if not folders:
        raise BenchError(f"{config.leaderboards}: no board is published", Exit.NOTHING)
    site.write_site(boards_site.boards_site(folders, Store(config.results), {}), folder)
    index = str(folder / site.INDEX)
    report(f"written: {index}", index, as_json=as_json)


def _check(root: Path, suite: str | None, *, as_json: bool) -> None:
    from bench.leaderboards import rebuild, versions

    checked = [versions.version_name(folder) for folder in rebuild.check_boards(root, suite)]
    report(f"equal to what their samples give: {', '.join(checked)}", checked, as_json=as_json)
