"""Paths of this machine, as a person writes them."""

from __future__ import annotations

import re
from pathlib import Path

from bench.core.errors import BenchError
from bench.core.printable import quoted

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/")


def local_path(path: str | Path) -> Path:
    """Return a path with the home folder in place of `~`.

    Raises:
        BenchError: It is a URL, or `~` is the home of nobody.
    """
    text = str(path)
    if _URL.match(text):
        raise BenchError(
            f"{quoted(text)} is a URL, and bench reads and writes local files alone; name a local "
            "file or folder, such as one where the remote one is mounted"
        )
    if "\0" in text:
        raise BenchError(f"{quoted(text)} has a null character, which no path has; remove it")
    try:
        return Path(path).expanduser()
    except RuntimeError:
        raise BenchError(
            f"{quoted(text)} begins with a home folder that is not known; write the whole path"
        ) from None
