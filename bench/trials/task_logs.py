"""Find and follow the logs that processes of tasks write into the folder of results."""

from __future__ import annotations

import glob
import os
import time
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from bench.core.errors import BenchError, Exit
from bench.core.printable import printable
from bench.core.regular_files import open_regular
from bench.trials.store import DEPTHS, LOG

if TYPE_CHECKING:
    from typing import BinaryIO

_POLL_SECONDS = 0.5
_MAX_LINE = 2**16
"""The largest number of bytes of a line; longer lines are split."""


def find_log(root: Path, word: str) -> Path:
    """Return the path of the log of the task that `word` names.

    Args:
        root: The folder of results.
        word: The beginning of the task's key, or its folder.

    Raises:
        BenchError: There is none (nothing selected), or several tasks match.
    """
    paths = [
        path / LOG
        for kind, depth in DEPTHS.items()
        for path in root.glob(f"{kind}/{depth}/seed*-{glob.escape(word)}*")
    ]
    logs = [file for file in (Path(word) / LOG, *paths) if file.is_file()]
    if not logs:
        raise BenchError(
            f"{root}: no task under a key that begins with '{word}' has a log yet; "
            "`bench status` lists the keys",
            Exit.NOTHING,
        )
    if len(logs) > 1:
        raise BenchError(
            f"{root}: {len(logs)} tasks have keys that begin with '{word}'; give more digits"
        )
    return logs[0]


def task_key(log: Path) -> str:
    """Return the key of the task that a log is of."""
    return log.parent.name.rpartition("-")[2]


def log_lines(log: Path, last: int | None = None) -> Iterator[str]:
    """Yield the lines of a log, or the `last` ones, with control characters escaped.

    Raises:
        OSError: It cannot be read.
    """
    with open_regular(log) as stream:
        lines = _lines(stream)
        yield from map(_printable_line, lines if last is None else deque(lines, last))


def follow(log: Path, last: int | None, is_running: Callable[[], bool]) -> Iterator[str]:
    """Yield the lines of a log as they are written, until its task ends.

    Args:
        log: The file. When another attempt replaces it, the new file is followed.
        last: The number of existing lines to yield first; None: all.
        is_running: Whether the task still runs.
    """
    stream = open_regular(log)
    yield from map(_printable_line, deque(_lines(stream), last))
    try:
        while True:
            running = is_running()
            yield from map(_printable_line, _lines(stream))
            if not running:
                return
            time.sleep(_POLL_SECONDS)
            if _is_replaced(log, stream):
                stream.close()
                stream = open_regular(log)
    finally:
        stream.close()


def _lines(stream: BinaryIO) -> Iterator[bytes]:
    return iter(lambda: stream.readline(_MAX_LINE), b"")


def _is_replaced(log: Path, stream: BinaryIO) -> bool:
    try:
        return not os.path.samestat(log.stat(), os.fstat(stream.fileno()))
    except FileNotFoundError:
        # The next attempt begins.
        return False


def _printable_line(line: bytes) -> str:
    return printable(line.decode("utf-8", "replace").rstrip("\r\n"), "\t")
