"""Which processes are alive, seen from outside."""

from __future__ import annotations

import os
import time
from pathlib import Path

_SECONDS = 120.0


def alive(pid):
    """Return whether a process runs; one that has ended and that nobody waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def gone(*pids):
    """Wait until none of these processes runs; return whether that came true."""
    return _comes_true(lambda: not any(map(alive, pids)))


def marked(mark):
    """Return the processes that were started with `mark` in their environment, but this one."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            environment = (folder / "environ").read_bytes()
        except OSError:
            continue
        if mark.encode() in environment and alive(int(folder.name)):
            found.append(int(folder.name))
    return [pid for pid in found if pid != os.getpid()]


def none_marked(mark):
    """Wait until no process with `mark` in its environment runs; return whether that came true."""
    return _comes_true(lambda: not marked(mark))


def written(file):
    """Wait for a file that has a whole line; return its text without the end of the line."""
    assert _comes_true(lambda: file.exists() and file.read_text().endswith("\n")), file
    return file.read_text().strip()


def parent(pid):
    """Return the id of the parent of a process."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def _comes_true(holds):
    ends = time.monotonic() + _SECONDS
    while not holds():
        if time.monotonic() > ends:
            return False
        time.sleep(0.05)
    return True
