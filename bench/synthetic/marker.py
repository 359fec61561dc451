"""The file that tells a synthetic data set from a real one, and a complete one from a part."""

from __future__ import annotations

import shutil
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from bench.core.errors import BenchError, Exit
from bench.core.toml_text import read_toml

if TYPE_CHECKING:
    from bench.synthetic import Difficulty

MARKER = "SYNTHETIC.toml"
VERSION = 1
"""Raise it when the same arguments no longer give the same files."""


def is_marked(source: Path) -> bool:
    """Return whether `source` is a synthetic data set, is within one, or has one within.

    Raises BenchError where rendering it was interrupted.
    """
    around = (source, *source.absolute().parents)
    within = (file for depth in ("*", "*/*") for file in source.glob(f"{depth}/{MARKER}"))
    files = (file for folder in around if (file := folder / MARKER).exists())
    for file in chain(files, within):
        if not is_complete(file):
            raise BenchError(
                f"{file.parent}: rendering these synthetic samples was interrupted; run "
                "`bench data synth` again, which clears this folder first"
            )
        return True
    return False


def is_complete(marker: Path) -> bool | None:
    """Return whether the data set of `marker` was rendered to its end; None: there is no marker.

    Raises BenchError where the file is not a marker of bench.
    """
    if not marker.is_file():
        return None
    try:
        _, document = read_toml(marker)
        return bool(document["complete"])
    except (BenchError, KeyError):
        raise BenchError(
            f"{marker}: this does not say whether the synthetic data set is complete; remove the "
            "folder and run `bench data synth` again",
            Exit.UNVERIFIED,
        ) from None


def claim(out: Path) -> None:
    """Make the folder `out`; an interrupted synthetic data set in it is removed first.

    Raises BenchError where it holds something else, or is not a folder.
    """
    if is_complete(out / MARKER) is False:
        shutil.rmtree(out)
    if out.exists() and not (out.is_dir() and not any(out.iterdir())):
        raise BenchError(
            f"{out} is there already and is not an empty folder; name another, or clear it"
        )
    out.mkdir(parents=True, exist_ok=True)


def mark(
    out: Path, name: str, count: int, seed: int, difficulty: Difficulty, *, complete: bool
) -> None:
    """Write the marker of a synthetic data set."""
    (out / MARKER).write_text(
        f'about = "Rendered by a program with the files of {name}; this is not the real data."\n'
        f'name = "{name}"\ncount = {count}\nseed = {seed}\ndifficulty = "{difficulty}"\n'
        f"version = {VERSION}\ncomplete = {str(complete).lower()}\n",
        encoding="utf-8",
    )
