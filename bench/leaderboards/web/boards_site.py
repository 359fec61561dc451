"""The site of all boards at hand: an index, and the folder of each board below it."""

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
"""The folder of working boards below a site."""
_BESIDE = ("README.md", "board.csv", boards.DATA)
"""The files of a board that its page links to."""
_BOARDS_KEPT = 64


def folders(root: Path, results: Path, word: str | None = None) -> dict[str, Path]:
    """Return folders of boards by their places in a site: `quick/v1`, `working/quick`.

    Args:
        root: The folder of published boards.
        results: The folder of records, beside which working boards are.
        word: The one board, as `versions.find` takes it; None for all published ones.

    Raises:
        BenchError: There is no board that `word` means.
    """
    folders = versions.all_versions(root) if word is None else [versions.find(word, root, results)]
    return {_place(folder): folder for folder in folders}


def all_folders(root: Path, results: Path) -> dict[str, Path]:
    """Return what `folders` does, of the working boards and all published ones."""
    working = {_place(folder): folder for folder in versions.working_boards(results)}
    return working | folders(root, results)


def _place(folder: Path) -> str:
    return versions.name(folder) if versions.is_version(folder) else f"{_WORKING}/{folder.name}"


def readable(places: Mapping[str, Path]) -> tuple[dict[str, Path], list[str]]:
    """Return the boards that can be read, and why each other one cannot."""
    folders, faults = {}, []
    for place, folder in places.items():
        try:
            _board(folder)
            folders[place] = folder
        except (BenchError, OSError) as error:
            faults.append(one_line(error))
    return folders, faults


def boards_site(
    places: Mapping[str, Path],
    store: Store,
    pages: Mapping[str, Callable[[], bytes]],
    faults: Sequence[str] = (),
) -> Site:
    """Return the site of boards.

    Args:
        places: The folder of each board, by its place in the site.
        store: The records that parts are made from.
        pages: Further pages of the site by path; those of a site that `bench view` serves.
        faults: Why other boards are not in it.
    """
    named = {place: _board(folder) for place, folder in places.items()}
    at_hand = parts.folders(store)
    pages_of_boards = {f"{place}/{PAGE}": board for place, board in named.items()}
    site: dict[str, Callable[[], bytes]] = {
        INDEX: partial(index_page, pages_of_boards, faults, is_live="running.html" in pages)
    }
    for place, folder in places.items():
        site[f"{place}/{PAGE}"] = partial(_page, folder, named[place], at_hand)
        for name in _BESIDE:
            if is_there(folder / name):
                site[f"{place}/{name}"] = partial(read_regular, folder / name)
        for path, content in parts.parts(named[place], at_hand).items():
            site[f"{place}/{path}"] = content
    return site | dict(pages)


def _page(folder: Path, board: Board, at_hand: dict[str, Path]) -> bytes:
    """Return the page of a board, as it is beside it, with what is at hand of its parts."""
    if not is_there(folder / PAGE):
        raise BenchError(
            f"{folder}: this board has no {PAGE}; write it again: bench board {board.suite}",
            Exit.NOTHING,
        )
    page = read_regular(folder / PAGE)
    return with_parts(page, parts.manifest(board, at_hand))


def _board(folder: Path) -> Board:
    return _named(folder, (folder / boards.DATA).stat().st_mtime_ns)


@lru_cache(maxsize=_BOARDS_KEPT)
def _named(folder: Path, _written: int) -> Board:
    """Return a board with the name and version of its folder; of each writing, read once."""
    board = boards.read(folder)
    if not versions.is_version(folder):
        return replace(board, suite=folder.name, version=None)
    return replace(board, suite=folder.parent.name, version=versions.number(folder))
