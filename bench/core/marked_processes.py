"""Processes that carry a mark in their environment, as all have that a process with it starts.

A process group loses what makes a session of its own, and a parent what it does not wait for; an
environment is passed on, unless a program replaces it.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

VARIABLE = "BENCH_MARK"
_MAX_ROUNDS = 20


def new_mark() -> str:
    """Return a value of `VARIABLE` that no process has."""
    return os.urandom(16).hex()


def kill_marked(mark: str) -> None:
    """Kill the processes that were started with `mark`, on Linux; elsewhere it does nothing."""
    for _ in range(_MAX_ROUNDS):
        # One may have started another meanwhile.
        pids = [*_marked(f"{VARIABLE}={mark}".encode())]
        for pid in pids:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        if not pids:
            return


def _marked(entry: bytes) -> Iterator[int]:
    for folder in Path("/proc").glob("[0-9]*"):
        # Of a process that has ended, or is another user's, it cannot be read or is empty.
        with suppress(OSError):
            if entry in (folder / "environ").read_bytes():
                yield int(folder.name)
