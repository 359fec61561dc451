"""Versions of a suite's board: a new one for each identity, and none is ever rewritten."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from bench.core.errors import BenchError, Exit, did_you_mean
from bench.leaderboards import board_identity as identity
from bench.leaderboards import render
from bench.trials.plan import differences

if TYPE_CHECKING:
    from bench.config.suite import Suite
    from bench.leaderboards.aggregate import Board


def of_suite(folder: Path) -> list[Path]:
    """Return the folders of the versions in the folder of one suite, newest first."""
    found = [file.parent for file in folder.glob(f"v*/{render.DATA}")]
    return sorted(
        (version for version in found if re.fullmatch("v[1-9][0-9]*", version.name)),
        key=number,
        reverse=True,
    )


def everything(root: Path) -> list[Path]:
    """Return the folders of all versions: suites by name, each newest first."""
    return [version for folder in sorted(root.glob("*")) for version in of_suite(folder)]


def number(folder: Path) -> int:
    """Return the number of the version in `folder`."""
    return int(folder.name[1:])


def name(folder: Path) -> str:
    """Return what a person calls the version in `folder`: `suite/vN`."""
    return f"{folder.parent.name}/{folder.name}"


def current(suite: Suite, root: Path, *, start_next: bool = False) -> int:
    """Return the number of the version that a board of `suite` is to be written to.

    Raises BenchError (unverified) where the latest version has another identity, unless the next
    one is to be started; and (usage) where that is asked for but nothing moved.
    """
    folders = of_suite(root / suite.name)
    if not folders:
        return 1
    latest = number(folders[0])
    moved = "; ".join(differences(render.read(folders[0]).identity, identity.of(suite)))
    if moved and not start_next:
        raise BenchError(
            f"{folders[0]}: protocol and data are no longer those of this board ({moved}), so it "
            f"stays as it is; every record is kept, `bench board {suite.name} --next` writes "
            f"v{latest + 1}",
            Exit.UNVERIFIED,
        )
    if start_next and not moved:
        raise BenchError(
            f"{folders[0]}: protocol and data are still those of this board, so there is no next "
            f"version to start; `bench board {suite.name}` writes this one"
        )
    return latest + start_next


def guard(board: Board, root: Path) -> None:
    """Raise BenchError (nothing) where a board of no record would replace one of some."""
    folder = render.folder(board, root)
    if any(row.seeds for row in board.rows) or not (folder / render.DATA).is_file():
        return
    if any(row.seeds for row in render.read(folder).rows):
        raise BenchError(
            f"{folder}: this board stays as it is, for none of its trials has a record here; "
            f"run: bench run {board.suite}",
            Exit.NOTHING,
        )


def named(root: Path) -> dict[str, Path]:
    """Return the folders of all versions by `suite/vN`, and the latest ones by `suite` too."""
    folders = everything(root)
    # The newest come first, so that they are entered last.
    found = {folder.parent.name: folder for folder in reversed(folders)}
    return found | {name(folder): folder for folder in folders}


def find(word: str, root: Path) -> Path:
    """Return the folder of the version that `word` means: a folder, `suite/vN`, or `suite`.

    A suite is its latest version. Raises BenchError with the nearest name where there is none.
    """
    if (Path(word) / render.DATA).is_file():
        return Path(word)
    known = named(root)
    if word not in known:
        raise BenchError(f"{root}: there is no board '{word}'{did_you_mean(word, known)}")
    return known[word]
