"""The site of all boards at hand: an index, and the folder of each board below it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from bench.leaderboards import board as boards
from bench.leaderboards import versions
from bench.leaderboards.web.index_page import index_page
from bench.leaderboards.web.site import INDEX, Site

if TYPE_CHECKING:
    from bench.leaderboards.board import Board

PAGE = "board.html"
_WORKING = "working"
"""The folder of working boards below a site."""


def published_folders(root: Path) -> dict[str, Path]:
    """Return the folder of each published board by its place in a site: `quick/v1`."""
    return {versions.name(folder): folder for folder in versions.all_versions(root)}


def working_folders(results: Path) -> dict[str, Path]:
    """Return the folder of each working board by its place in a site: `working/quick`."""
    folders = versions.working_boards(results)
    return {f"{_WORKING}/{folder.name}": folder for folder in folders}


def boards_site(folders: Mapping[str, Path], pages: Mapping[str, Callable[[], bytes]]) -> Site:
    """Return the site of boards.

    Args:
        folders: The folder of each board, by its place in the site.
        pages: Further pages of the site by path; those of a site that `bench view` serves.
    """
    site: dict[str, Callable[[], bytes]] = {
        INDEX: partial(_index, folders, is_live="running.html" in pages)
    }
    return site | dict(pages)


def _index(folders: Mapping[str, Path], *, is_live: bool) -> bytes:
    found = {f"{place}/{PAGE}": _named(folder) for place, folder in folders.items()}
    return index_page(found, is_live=is_live)


def _named(folder: Path) -> Board:
    """Return a board with the name and version of its folder."""
    board = boards.read(folder)
    if not versions.is_version(folder):
        return replace(board, suite=folder.name, version=None)
    return replace(board, suite=folder.parent.name, version=versions.number(folder))
