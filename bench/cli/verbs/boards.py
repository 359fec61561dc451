"""The verb `board` and its commands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

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
from bench.cli.verbs.selection import Selection
from bench.core.errors import BenchError, Exit

if TYPE_CHECKING:
    from bench.config.bench_toml import Config
    from bench.leaderboards.board import Board
    from bench.leaderboards.samples.column_counts import ColumnCounts


_DOCUMENTS = ("md", "csv", "json", "latex", "html")
_out_option = click.option(
    "-o", "--out", type=LOCAL_PATH, help="Write it into this file instead of to stdout."
)


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
    options_metavar="",
    subcommand_metavar="[SUITE] [OPTIONS] | diff [A [B]]",
)
def board() -> None:
    """Write and print the working leaderboard of SUITE, or publish it.

    The working board follows from the records at hand and is written beside them, into
    `results/boards/SUITE/`. SUITE may also be a version such as `quick/v1`, or the folder of a
    board: that is printed as it is. --publish writes `leaderboards/SUITE/vN/`: the next version
    where protocol or test sets changed. Where nothing of SUITE has run here, the published
    board is printed. `bench board SUITE` is short for `bench board write SUITE`; SUITE is
    `quick` unless named, and with --check all suites.
    """


@board.command()
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
@click.option(
    "--format",
    "document",
    type=click.Choice([*_DOCUMENTS]),
    help="Print the board in a format to take elsewhere, and nothing else on stdout.",
)
@click.option(
    "--by",
    metavar="PROPERTY",
    help="Print the scores on the parts of each test set that agree in a property of their "
    "samples, such as `length` or `case`.",
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
        raise click.UsageError("--json prints a document of its own; omit --by and --format")
    if out and not document:
        raise click.UsageError("--out is the file of --format; name a format, or omit it")
    if partial and not publish:
        raise click.UsageError("--partial is about --publish; add that, or omit it")
    config = load()
    if html:
        _write_site(config, suite, html, as_json=as_json)
        return Exit.DONE
    if check:
        _check(config.leaderboards, suite, as_json=as_json)
        return Exit.DONE
    if publish:
        return _publish(config, suite or "quick", partial=partial, as_json=as_json)

    def show(made: Board, counts: Callable[[], Mapping[str, ColumnCounts]]) -> None:
        if document:
            from bench.leaderboards.formats.board_formats import DOCUMENTS

            _write_out(DOCUMENTS[document](made, counts), out)
        elif by:
            from bench.leaderboards.formats.slice_tables import slice_blocks

            print_text(slice_blocks(made, by))
        else:
            print_board(made, as_json=as_json)

    return _print(config, suite or "quick", show)


@board.command()
@click.argument("before", required=False)
@click.argument("after", required=False)
@click.option(
    "--format",
    "document",
    type=click.Choice(["text", "md", "html", "json"]),
    default="text",
    show_default=True,
    help="`md` is for a comment, `html` one page that needs nothing else, `json` as --json.",
)
@_out_option
@click.option(
    "--fail-on",
    type=click.Choice(["regress"]),
    help="Compare each row with itself on the same samples, and end with 4 where one is "
    "significantly worse by the metric that ranks, or lost.",
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
    """Say what changed from the board BEFORE to the board AFTER, and why.

    A board is `suite/vN`, `suite` (its working board, or where there is none the latest version),
    or the folder of one. With BEFORE alone, a suite (`quick` unless named), its latest version is
    compared with its working board.
    """
    from bench.leaderboards import board as boards
    from bench.leaderboards import difference, gate, versions
    from bench.leaderboards.formats import text_page

    config = load()
    if after is None:
        folders = [*_published_and_working(config, before or "quick")]
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
    """Write a document into a file, or print it so that a terminal obeys none of it."""
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

    if "/" in word:  # No suite has it in its name.
        published: Path | None = versions.find_board(word, config.leaderboards, config.results)
    else:
        published = versions.published_version(word, config.leaderboards)
    faults: list[str] = []
    try:
        suite = config.suite(word)
        Selection().say_unavailable(suite)
        made, counts = working.compute_working_board(config, suite, faults)
        reason = "" if any(row.seeds for row in made.rows) else f"nothing of '{word}' has run here"
    except BenchError as error:
        # Data are not prepared, a component is not installed, or there is no such suite.
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
    """Say what publishing changes, then publish, or refuse what is incomplete."""
    from bench.leaderboards import board_files, difference, publish, versions, working

    suite = config.suite(name)
    Selection().say_unavailable(suite)
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
            f"{board.name} is not published: {'; '.join(publication.problems)}; or publish it as "
            "it is with --partial",
            Exit.UNVERIFIED,
        )
    folder = publish.publish(publication, config.leaderboards)
    print_board(board, as_json=as_json)
    say(f"published to {folder}")
    return code


def _require_one_purpose(**purposes: object) -> None:
    """Raise UsageError where options are given that each say what `board` is to do."""
    given = [f"--{name}" for name, purpose in purposes.items() if purpose]
    if len(given) > 1:
        raise click.UsageError(f"{' and '.join(given)} exclude each other; omit all but one")


def _write_site(config: Config, word: str | None, folder: Path, *, as_json: bool) -> None:
    """Write the pages of the board that `word` means, or of all published boards."""
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
    report(f"as their samples give them: {', '.join(checked)}", checked, as_json=as_json)
