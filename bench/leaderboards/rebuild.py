"""Boards compared with what their own samples give: whatever was written by hand shows."""

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

_MAX_SHOWN = 500


def check_all(root: Path, suite: str | None = None) -> list[Path]:
    """Rebuild the published boards under `root`, or of one suite, and the index.

    Returns:
        The folders of the boards.

    Raises:
        BenchError: The first file that is not, to the byte, what the samples beside it give
            (unverified); or there is no board (nothing).
    """
    folders = versions.all_versions(root)
    suites = {folder.parent.name for folder in folders}
    chosen = [folder for folder in folders if suite in (None, folder.parent.name)]
    if not chosen:
        wanted = f"no board of '{suite}'{did_you_mean(suite, suites)}" if suite else "no board"
        raise BenchError(f"{root}: there is {wanted}", Exit.NOTHING)
    for folder in chosen:
        check(folder)
    check_index(root)
    return chosen


def check(folder: Path) -> None:
    """Rebuild one board. Raises BenchError on the first file that is not what its samples give."""
    board = boards.read(folder)
    counts = samples_file.read(folder, board.column_names)
    _check_samples(folder, board, counts)
    version = versions.number(folder) if versions.is_version(folder) else None
    suite = folder.parent.name if version else folder.name
    try:
        scored = ranking.scored(board, counts)
    except BenchError as error:
        raise BenchError(
            f"{folder}: its samples give no scores ({error}); restore it, for instance with `git "
            "restore`",
            Exit.UNVERIFIED,
        ) from None
    rebuilt = replace(scored, suite=suite, version=version)
    contents = board_files.files(rebuilt, counts)
    for name, content in contents.items():
        _compare(folder / name, content)
    stale = board_files.stale_files(folder, {*contents, *map(samples_file.file_name, counts)})
    if stale:
        raise BenchError(f"{stale[0]}: it is not a file of this board; remove it", Exit.UNVERIFIED)


def _check_samples(folder: Path, board: Board, counts: Mapping[str, ColumnCounts]) -> None:
    """Raise BenchError where a test set that has evaluations has no samples."""
    for row in board.rows:
        for _, column in row.evaluations:
            if column not in counts:
                raise BenchError(
                    f"{folder / samples_file.file_name(column)}: this file of the board is "
                    "missing; restore it, for instance with `git restore`",
                    Exit.UNVERIFIED,
                )


def check_index(root: Path) -> None:
    """Rebuild the index of `root`. Raises BenchError where it is not what the boards give."""
    _compare(root / PAGE, index.page(root).encode())


def _compare(file: Path, content: bytes) -> None:
    """Raise BenchError with the first line of `file` that is not that of `content`."""
    try:
        held = read_regular(file) if is_there(file) else b""
    except OSError as error:
        raise BenchError(
            f"{file}: it cannot be read ({error.strerror}); restore it, for instance with `git "
            "restore`",
            Exit.UNVERIFIED,
        ) from None
    if held == content:
        return
    lines = zip_longest(held.split(b"\n"), content.split(b"\n"))
    number, line, expected = next((n, a, b) for n, (a, b) in enumerate(lines, 1) if a != b)
    raise BenchError(
        f"{file}:{number}: the file has {_shown(line)}, but the samples of the board give "
        f"{_shown(expected)}; restore the file, for instance with `git restore`",
        Exit.UNVERIFIED,
    )


def _shown(line: bytes | None) -> str:
    return quoted(line.decode(errors="backslashreplace"), _MAX_SHOWN) if line else "nothing"
