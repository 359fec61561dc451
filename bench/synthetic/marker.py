"""The marker file of synthetic data sets, which also states whether they are complete."""

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
"""To be raised when the same arguments give other files."""


def is_marked(source: Path) -> bool:
    """Return whether `source` is a synthetic data set, is inside one, or contains one.

    Raises:
        BenchError: The generation of the data set was interrupted.
    """
    parents = (source, *source.absolute().parents)
    below = (file for depth in ("*", "*/*") for file in source.glob(f"{depth}/{MARKER}"))
    files = (file for folder in parents if (file := folder / MARKER).exists())
    for file in chain(files, below):
        if not is_complete(file):
            raise BenchError(
                f"{file.parent}: generating this synthetic data set was interrupted; run "
                "`bench data synth` again, which clears this folder first"
            )
        return True
    return False


def is_complete(marker: Path) -> bool | None:
    """Return whether the data set of a marker is complete, None if there is no marker.

    Raises:
        BenchError: The file is not a marker of bench.
    """
    if not marker.is_file():
        return None
    try:
        _, document = read_toml(marker)
        return bool(document["complete"])
    except (BenchError, KeyError):
        raise BenchError(
            f"{marker}: this is not a valid marker of a synthetic data set; remove the folder and "
            "run `bench data synth` again",
            Exit.UNVERIFIED,
        ) from None


def claim_folder(out: Path) -> None:
    """Make the folder `out`, after removing an incomplete synthetic data set in it.

    Raises:
        BenchError: `out` has other files, or is not a folder.
    """
    if is_complete(out / MARKER) is False:
        shutil.rmtree(out)
    if out.exists() and not (out.is_dir() and not any(out.iterdir())):
        raise BenchError(
            f"{out} exists and is not an empty folder; name another folder, or empty it"
        )
    out.mkdir(parents=True, exist_ok=True)


def write_marker(
    out: Path, name: str, count: int, seed: int, difficulty: Difficulty, *, complete: bool
) -> None:
    """Write the marker of a synthetic data set."""
    (out / MARKER).write_text(
        f'about = "Rendered by a program with the files of {name}; this is not the real data."\n'
        f'name = "{name}"\ncount = {count}\nseed = {seed}\ndifficulty = "{difficulty}"\n'
        f"version = {VERSION}\ncomplete = {str(complete).lower()}\n",
        encoding="utf-8",
    )
