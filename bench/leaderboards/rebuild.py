"""Boards held against what their own seeds give: whatever was written by hand shows."""

from __future__ import annotations

from dataclasses import replace
from itertools import zip_longest
from pathlib import Path

from bench.core.errors import BenchError, Exit, did_you_mean
from bench.leaderboards import aggregate, index, render, versions
from bench.leaderboards import board_samples as samples


def check(root: Path, suite: str | None = None) -> list[Path]:
    """Rebuild the boards under `root`, or of one suite, and the index; return their folders.

    Raises BenchError (unverified) on the first file that is not, to the byte, what the seeds in
    its board.json give, and (nothing) where there is no board.
    """
    folders = versions.everything(root)
    suites = {folder.parent.name for folder in folders}
    chosen = [folder for folder in folders if suite in (None, folder.parent.name)]
    if not chosen:
        wanted = f"no board of '{suite}'{did_you_mean(suite, suites)}" if suite else "no board"
        raise BenchError(f"{root}: there is {wanted}", Exit.NOTHING)
    for folder in chosen:
        for name, content in render.files(_rebuilt(folder)).items():
            _compare(folder / name, content)
    _compare(root / render.PAGE, index.page(root).encode())
    return chosen


def _rebuilt(folder: Path) -> aggregate.Board:
    board = aggregate.recomputed(render.read(folder), samples.read(folder))
    return replace(board, suite=folder.parent.name, version=versions.number(folder))


def _compare(file: Path, content: bytes) -> None:
    """Raise BenchError with the first line of `file` that is not that of `content`."""
    there = file.read_bytes() if file.exists() else b""
    if there == content:
        return
    lines = zip_longest(there.split(b"\n"), content.split(b"\n"))
    number, line, wanted = next((n, a, b) for n, (a, b) in enumerate(lines, 1) if a != b)
    raise BenchError(
        f"{file}:{number}: there stands {_shown(line)}, but the seeds that the boards keep give "
        f"{_shown(wanted)}; restore the file, for instance with `git restore`",
        Exit.UNVERIFIED,
    )


def _shown(line: bytes | None) -> str:
    return repr(line.decode(errors="backslashreplace")) if line else "nothing"
