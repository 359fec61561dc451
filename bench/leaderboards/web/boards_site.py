"""The site of boards: an index, and one folder per board."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from bench.core.errors import BenchError, Exit, one_line
from bench.core.regular_files import is_there, read_regular
from bench.leaderboards import board as boards
from bench.leaderboards import versions
from bench.leaderboards.web import parts
from bench.leaderboards.web.board_page import PAGE, with_parts
from bench.leaderboards.web.index_page import index_page
from bench.leaderboards.web.site import INDEX, Site

if TYPE_CHECKING:
    from bench.leaderboards.board import Board
    from bench.trials.store import Store

_WORKING = "working"
"""The folder of working boards in a site."""
_LINKED_FILES = ("README.md", "board.csv", boards.BOARD_FILE)
"""The files of a board that its page links to."""
_MAX_CACHED_BOARDS = 64


def board_folders(root: Path, results: Path, word: str | None = None) -> dict[str, Path]:
    """Return folders of boards by their path in a site: `quick/v1`, `working/quick`.

    Args:
        root: The folder of published boards.
        results: The folder of records and working boards.
        word: The name of a single board, as for `versions.find_board`; None for all published ones.

    Raises:
        BenchError: There is no board with the name `word`.
    """
    folders = (
        versions.all_versions(root) if word is None else [versions.find_board(word, root, results)]
    )
    return {_site_path(folder): folder for folder in folders}


def all_board_folders(root: Path, results: Path) -> dict[str, Path]:
    """Return the folders of all working and published boards by their path in a site."""
    working = {_site_path(folder): folder for folder in versions.working_boards(results)}
    return working | board_folders(root, results)


def _site_path(folder: Path) -> str:
    return (
        versions.version_name(folder)
        if versions.is_version(folder)
        else f"{_WORKING}/{folder.name}"
    )


def readable_boards(folders: Mapping[str, Path]) -> tuple[dict[str, Path], list[str]]:
    """Return the folders of boards that can be read, by path, and why the others cannot."""
    readable, faults = {}, []
    for path, folder in folders.items():
        try:
            _cached_board(folder)
            readable[path] = folder
        except (BenchError, OSError) as error:
            faults.append(one_line(error))
    return readable, faults


def boards_site(
    folders: Mapping[str, Path],
    store: Store,
    pages: Mapping[str, Callable[[], bytes]],
    faults: Sequence[str] = (),
) -> Site:
    """Return the site of boards.

    Args:
        folders: The folders of boards, by path in the site.
        store: The records from which details of samples are read.
        pages: Further pages by path, which only a site that `bench view` serves has.
        faults: Why other boards cannot be read; the index lists them.
    """
    boards_by_path = {path: _cached_board(folder) for path, folder in folders.items()}
    evaluations = parts.evaluation_folders(store)
    pages_of_boards = {f"{path}/{PAGE}": board for path, board in boards_by_path.items()}
    site: dict[str, Callable[[], bytes]] = {
        INDEX: partial(index_page, pages_of_boards, faults, is_live="running.html" in pages)
    }
    for path, folder in folders.items():
        board = boards_by_path[path]
        site[f"{path}/{PAGE}"] = partial(_page, folder, board, evaluations)
        for name in _LINKED_FILES:
            if is_there(folder / name):
                site[f"{path}/{name}"] = partial(read_regular, folder / name)
        for part, content in parts.board_parts(board, evaluations).items():
            site[f"{path}/{part}"] = content
    return site | dict(pages)


def _page(folder: Path, board: Board, evaluations: dict[str, Path]) -> bytes:
    """Return the page in the folder of a board, with the list of its parts."""
    if not is_there(folder / PAGE):
        raise BenchError(
            f"{folder}: this board has no {PAGE}; write it again: bench board {board.suite}",
            Exit.NOTHING,
        )
    page = read_regular(folder / PAGE)
    return with_parts(page, parts.parts_manifest(board, evaluations))


def _cached_board(folder: Path) -> Board:
    return _read_board(folder, (folder / boards.BOARD_FILE).stat().st_mtime_ns)


@lru_cache(maxsize=_MAX_CACHED_BOARDS)
def _read_board(folder: Path, _written: int) -> Board:
    """Return a board with the name and version of its folder; `_written` is for the cache."""
    board = boards.read_board(folder)
    if not versions.is_version(folder):
        return replace(board, suite=folder.name, version=None)
    return replace(board, suite=folder.parent.name, version=versions.version_number(folder))
