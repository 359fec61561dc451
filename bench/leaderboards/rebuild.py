"""Check boards by computing their files again from their samples, which finds manual edits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING

from bench.core.errors import BenchError, Exit, did_you_mean
from bench.core.printable import quoted
from bench.core.regular_files import is_there, read_regular
from bench.leaderboards import board as boards
from bench.leaderboards import board_files, index, ranking, versions
from bench.leaderboards.formats.markdown import PAGE
from bench.leaderboards.samples import samples_file

if TYPE_CHECKING:
    from bench.leaderboards.board import Board
    from bench.leaderboards.samples.column_counts import ColumnCounts

_MAX_QUOTED = 500


def check_boards(root: Path, suite: str | None = None) -> list[Path]:
    """Compute the published boards of all suites or of one again, and the index, and compare.

    Returns:
        The folders of the checked boards.

    Raises:
        BenchError: A file differs from what the samples of its board give (unverified; the first
            such file), or there is no board (nothing).
    """
    folders = versions.all_versions(root)
    suites = {folder.parent.name for folder in folders}
    chosen = [folder for folder in folders if suite in (None, folder.parent.name)]
    if not chosen:
        absent = f"no board of '{suite}'{did_you_mean(suite, suites)}" if suite else "no board"
        raise BenchError(f"{root}: there is {absent}", Exit.NOTHING)
    for folder in chosen:
        check_board(folder)
    check_index(root)
    return chosen


def check_board(folder: Path) -> None:
    """Compute one board again. Raises BenchError on the first file that differs."""
    board = boards.read_board(folder)
    counts = samples_file.read_counts(folder, board.column_names)
    _check_samples(folder, board, counts)
    version = versions.version_number(folder) if versions.is_version(folder) else None
    suite = folder.parent.name if version else folder.name
    try:
        scored = ranking.with_scores(board, counts)
    except BenchError as error:
        raise BenchError(
            f"{folder}: its scores cannot be computed from its samples ({error}); restore the "
            "folder, for instance with `git restore`",
            Exit.UNVERIFIED,
        ) from None
    rebuilt = replace(scored, suite=suite, version=version)
    contents = board_files.board_contents(rebuilt, counts)
    for name, content in contents.items():
        _require_content(folder / name, content)
    stale = board_files.stale_files(
        folder, {*contents, *map(samples_file.samples_file_name, counts)}
    )
    if stale:
        raise BenchError(
            f"{stale[0]}: this is not a file of this board; remove it", Exit.UNVERIFIED
        )


def _check_samples(folder: Path, board: Board, counts: Mapping[str, ColumnCounts]) -> None:
    """Raise BenchError if a test set that has evaluations has no file of samples."""
    for row in board.rows:
        for _, column in row.evaluations:
            if column not in counts:
                raise BenchError(
                    f"{folder / samples_file.samples_file_name(column)}: this file of the board is "
                    "missing; restore it, for instance with `git restore`",
                    Exit.UNVERIFIED,
                )


def check_index(root: Path) -> None:
    """Compute the index of `root` again. Raises BenchError if the file differs."""
    _require_content(root / PAGE, index.index_markdown(root).encode())


def _require_content(file: Path, content: bytes) -> None:
    """Raise BenchError with the first line of `file` that differs from `content`."""
    try:
        written = read_regular(file) if is_there(file) else b""
    except OSError as error:
        raise BenchError(
            f"{file}: this file cannot be read ({error.strerror}); restore it, for instance with "
            "`git restore`",
            Exit.UNVERIFIED,
        ) from None
    if written == content:
        return
    lines = zip_longest(written.split(b"\n"), content.split(b"\n"))
    number, line, expected = next((n, a, b) for n, (a, b) in enumerate(lines, 1) if a != b)
    raise BenchError(
        f"{file}:{number}: the file has {_quoted_line(line)}, but the samples of the board give "
        f"{_quoted_line(expected)}; restore the file, for instance with `git restore`",
        Exit.UNVERIFIED,
    )


def _quoted_line(line: bytes | None) -> str:
    return quoted(line.decode(errors="backslashreplace"), _MAX_QUOTED) if line else "nothing"
