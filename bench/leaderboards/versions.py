"""Folders of boards: working ones in the results, published ones as versions of a suite."""

from __future__ import annotations

import re
from pathlib import Path

from bench.core.errors import BenchError, did_you_mean
from bench.core.regular_files import is_there
from bench.leaderboards import board as boards

WORKING_BOARDS = "boards"


def working_board_path(results: Path, suite: str) -> Path:
    """Return the folder of the working board of a suite."""
    return results / WORKING_BOARDS / suite


def suite_versions(folder: Path) -> list[Path]:
    """Return the folders of a suite's published versions, newest first."""
    folders = [each for each in folder.glob("v*") if is_version(each) and is_board(each)]
    return sorted(folders, key=version_number, reverse=True)


def all_versions(root: Path) -> list[Path]:
    """Return the folders of all published versions: suites by name, each newest first."""
    return [version for folder in sorted(root.glob("*")) for version in suite_versions(folder)]


def is_board(folder: Path) -> bool:
    """Return whether a folder has a `board.json`, even one that cannot be read."""
    return is_there(folder / boards.BOARD_FILE)


def is_version(folder: Path) -> bool:
    """Return whether a folder is named as a version: `vN`."""
    return re.fullmatch("v[1-9][0-9]*", folder.name) is not None


def version_number(folder: Path) -> int:
    """Return the number of the version in `folder`."""
    return int(folder.name[1:])


def version_name(folder: Path) -> str:
    """Return the name of the version in `folder`: `suite/vN`."""
    return f"{folder.parent.name}/{folder.name}"


def published_version(word: str, root: Path) -> Path | None:
    """Return the folder of `suite/vN`, or of the latest version of `suite`; None without one."""
    suite, _, version = word.partition("/")
    for folder in suite_versions(root / suite) if suite else []:
        if version in ("", folder.name):
            return folder
    return None


def working_boards(results: Path) -> list[Path]:
    """Return the folders of all working boards, by name."""
    return sorted(folder for folder in (results / WORKING_BOARDS).glob("*") if is_board(folder))


def find_board(word: str, root: Path, results: Path) -> Path:
    """Return the folder of the board with a name.

    Args:
        word: A folder; `suite/vN`, a published version; or `suite`, its working board, or its
            latest published version if it has no working board.
        root: The folder of published boards.
        results: The folder of records.

    Raises:
        BenchError: There is no such board; the message has the nearest name.
    """
    if folder := find_board_or_none(word, root, results):
        return folder
    names = {folder.name for folder in working_boards(results)}
    for version in all_versions(root):
        names |= {version.parent.name, version_name(version)}
    if not names:
        nowhere = f"neither {results / WORKING_BOARDS} nor {root} has one"
        raise BenchError(f"there is no board '{word}': {nowhere}; `bench run` writes the first")
    raise BenchError(f"there is no board '{word}'{did_you_mean(word, names)}")


def find_board_or_none(word: str, root: Path, results: Path) -> Path | None:
    """Return the same folder as `find_board`, or None if there is no such board."""
    if is_board(Path(word)):
        return Path(word)
    working = working_board_path(results, word)
    if "/" not in word and is_board(working):
        return working
    return published_version(word, root)
