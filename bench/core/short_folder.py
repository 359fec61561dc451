"""Temporary folders with a short path, because the path of a socket is limited to 107 bytes."""

from __future__ import annotations

import multiprocessing.util
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from bench.core.errors import BenchError

MAX_BASE = 28
"""Characters of the path in which a folder for Ray is made; Ray adds 64 characters to it."""
_MAX_OWN = 60
"""Characters of the temporary folder, in which multiprocessing makes a folder for sockets."""
_ELSEWHERE = ("/tmp", "/var/tmp", "/dev/shm")  # noqa: S108 (with a private folder below it)
_MIN_FREE = 32 * 2**20
"""Bytes; Ray's sockets and logs take one or two million."""


def make_short_folder() -> str:
    """Make a private folder with a short path and space for logs; the caller removes it.

    It is in RAY_TMPDIR or TMPDIR where these are short, writable and not full, else in /tmp,
    /var/tmp or /dev/shm.

    Raises:
        BenchError: None of them is usable.
    """
    faults = []
    for base in dict.fromkeys(_bases()):
        if fault := _fault(base):
            faults.append(f"{base} {fault}")
            continue
        try:
            return tempfile.mkdtemp(prefix="bench-", dir=base)
        except OSError as error:
            faults.append(f"{base}: {error.strerror}")
    raise BenchError(
        f"no folder for sockets and logs: {', '.join(faults)}; set RAY_TMPDIR to a writable folder "
        f"with a path of at most {MAX_BASE} characters, or run with --executor inline"
    )


def keep_sockets_short() -> None:
    """Make multiprocessing create its sockets elsewhere where the path of TMPDIR is too long.

    Other temporary files stay in TMPDIR, which may be the only folder with space for large files.
    """
    if len(tempfile.gettempdir()) <= _MAX_OWN:
        return
    before = tempfile.tempdir
    with suppress(StopIteration):
        tempfile.tempdir = next(base for base in _ELSEWHERE if not _fault(base))
    try:
        # The first call makes the folder; it is removed when this process ends.
        multiprocessing.util.get_temp_dir()
    finally:
        tempfile.tempdir = before


def _bases() -> Iterator[str]:
    for name in ("RAY_TMPDIR", "TMPDIR"):
        if folder := os.environ.get(name):
            yield str(Path(folder).absolute())
    yield from _ELSEWHERE


def _fault(folder: str) -> str | None:
    """Return why sockets and logs cannot be in a folder, or None if they can."""
    if len(os.fsencode(folder)) > MAX_BASE:
        return "has too long a path"
    if not os.access(folder, os.W_OK | os.X_OK):
        return "cannot be written to" if Path(folder).is_dir() else "is not a folder"
    with suppress(OSError):
        if shutil.disk_usage(folder).free < _MIN_FREE:
            return f"has less than {_MIN_FREE >> 20} MiB free"
    return None
