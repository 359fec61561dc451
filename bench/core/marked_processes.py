"""Processes that carry a mark in their environment, as all have that a process with it starts.

A process group loses what makes a session of its own, and a parent what it does not wait for; an
environment is passed on, unless a program replaces it.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

VARIABLE = "BENCH_MARK"
_MAX_ROUNDS = 20
_ROUND_SECONDS = 0.02


def new_mark() -> str:
    """Return a value of `VARIABLE` that no process has."""
    return os.urandom(16).hex()


def kill_marked(mark: str) -> None:
    """Kill the processes that were started with `mark`, on Linux; elsewhere it does nothing."""
    found_none = 0
    for _ in range(_MAX_ROUNDS):
        pids = [*_marked(f"{VARIABLE}={mark}".encode())]
        for pid in pids:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        # One may have started another meanwhile, which shows no environment as it begins.
        found_none = 0 if pids else found_none + 1
        if found_none > 1:
            return
        time.sleep(_ROUND_SECONDS)


def _marked(entry: bytes) -> Iterator[int]:
    for folder in Path("/proc").glob("[0-9]*"):
        # Of a process that has ended, or is another user's, it cannot be read or is empty.
        with suppress(OSError):
            if entry in (folder / "environ").read_bytes():
                yield int(folder.name)
