"""Where an error was raised: the line of a person's own file, else that of bench."""

from __future__ import annotations

import os
import sysconfig
import traceback
from collections.abc import Collection
from functools import cache
from pathlib import Path

import bench
from bench.core.plugin_files import plugin_files

_KEPT = "bench_raised_at"
"""The attribute of an error that crosses processes, where its stack trace does not."""
_INSTALLED = {"site-packages", "dist-packages"}


def raised_at(error: BaseException, own: Collection[Path] = ()) -> str | None:
    """Return file and line where `error` was raised, like `my_loss.py:31`; None if unknown.

    Of the calls that led to it, it is the innermost in a file that belongs neither to bench nor to
    Python nor to an installed package, else the innermost in bench.

    Args:
        error: An error that was caught.
        own: Files that count as a person's own wherever they are.
    """
    if kept := getattr(error, _KEPT, None):
        return str(kept)
    frames = [
        (Path(frame.filename), frame.lineno)
        for frame in reversed(traceback.extract_tb(error.__traceback__))
    ]
    if isinstance(error, SyntaxError) and error.filename:
        frames.insert(0, (Path(error.filename), error.lineno))
    package = Path(bench.__file__).parent
    mine = {*map(os.path.abspath, own), *(file.path for file in plugin_files())}
    for file, line in frames:
        if str(file) in mine or _is_own(file, package):
            return f"{file.name}:{line}"
    if own and isinstance(error, SyntaxError):
        return None  # it is in a file that Python could not read as far as a line
    for file, line in frames:
        if file.is_relative_to(package):
            return f"{file.relative_to(package.parent)}:{line}"
    return None


def keep_raised_at(error: BaseException) -> None:
    """Note where an error was raised, so that `raised_at` says so in another process too."""
    setattr(error, _KEPT, raised_at(error))


def _is_own(file: Path, package: Path) -> bool:
    return file.is_absolute() and not file.is_relative_to(package) and not is_installed(file)


def is_installed(file: Path) -> bool:
    """Return whether a file belongs to an installed package or to Python."""
    return bool(_INSTALLED & {*file.parts}) or any(map(file.is_relative_to, _library()))


@cache
def _library() -> tuple[str, ...]:
    """Return the folders of Python's own modules."""
    return tuple(sysconfig.get_path(name) for name in ("stdlib", "platstdlib"))
