"""Paths of the local machine, as users write them."""

from __future__ import annotations

import re
from pathlib import Path

from bench.core.errors import BenchError
from bench.core.printable import quoted

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/")


def local_path(path: str | Path) -> Path:
    """Return a path with the home folder in place of `~`.

    Raises:
        BenchError: It is a URL, or the home folder of `~` is not known.
    """
    text = str(path)
    if _URL.match(text):
        raise BenchError(
            f"{quoted(text)} is a URL, but bench reads and writes local files only; name a local "
            "file or folder, such as a mount of the remote one"
        )
    if "\0" in text:
        raise BenchError(f"the path {quoted(text)} has a null character; remove it")
    try:
        return Path(path).expanduser()
    except RuntimeError:
        raise BenchError(
            f"the home folder at the beginning of {quoted(text)} is not known; write the full path"
        ) from None
