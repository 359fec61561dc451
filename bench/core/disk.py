"""Disks that are full, or that are checked before work begins whose results have to fit."""

from __future__ import annotations

import errno
import shutil
import tempfile
from pathlib import Path

from bench.core.errors import BenchError

FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
"""The numbers of an OSError where a disk or a quota is full."""
_MIN_FREE_BYTES = 2**20


def require_writable(folder: Path, remedy: str) -> None:
    """Make a folder, and write and remove a file in it.

    Raises:
        BenchError: That is not possible, or the disk is full; `remedy` is what to do.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            # Some file systems notice only then that they are full.
            file.write(b"\0")
    except OSError as error:
        raise BenchError(
            f"{folder}: nothing can be written there ({error.strerror}); {remedy}"
        ) from None
    require_space(folder, _MIN_FREE_BYTES, "what is written there takes", remedy)


def require_space(folder: Path, size: int, what: str, remedy: str) -> None:
    """Raise BenchError if the disk of an existing folder has less than `size` bytes free.

    Args:
        folder: A folder on that disk.
        size: The number of bytes that will be written.
        what: A noun and a verb of which that number is the object, for the message.
        remedy: What to do.
    """
    free = shutil.disk_usage(folder).free
    if size > free:
        raise BenchError(
            f"{folder}: {what} up to {size / 1e6:,.1f} MB, and {free / 1e6:,.1f} MB are free; "
            f"{remedy}"
        )
