"""A process of a task as its client sees it, however it was started."""

from __future__ import annotations

import os
import signal
import struct
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from pathlib import Path

NUMBER = struct.Struct("q")
"""What is written about a process: its id by a server that forks it, in the end its exit code."""
EXIT_SECONDS = 10.0
"""How long a process may take to end once its task is done."""
_QUIET = {"TORCH_CPP_LOG_LEVEL": "ERROR"}
"""Without it, torch remarks on each data-parallel training that its weights are all used."""


@dataclass
class ChildProcess:
    """A process in a process group of its own.

    Attributes:
        pid: Its id, which is that of its group.
        connection: The job goes to it through this, and the events come back.
        status: A pipe that has its exit code (`NUMBER`) once it has ended, with all of its group;
            it ends without one where whoever would have written it has ended.
    """

    pid: int
    connection: Connection
    status: int
    _ended: bool = field(default=False, init=False)
    _code: int | None = field(default=None, init=False)

    def wait(self, seconds: float) -> bool:
        """Return whether there is a message, or the process has ended, within so many seconds."""
        return bool(wait([self.connection, self.status], seconds))

    def exit_code(self, seconds: float) -> int | None:
        """Wait for the end of the process; return its exit code, None where it is not known."""
        if not self._ended and wait([self.status], seconds):
            self._ended = True
            self._code = read_number(self.status)
            if self._code is None:
                # The server that has forked it has ended, and the process perhaps not.
                kill_group(self.pid)
        return self._code

    def kill(self) -> None:
        """Kill the process, unless it has ended, and wait for its end."""
        if self.connection.closed:
            return
        self.exit_code(0.0)
        if not self._ended:
            kill_group(self.pid)
            self.exit_code(EXIT_SECONDS)
        self.connection.close()
        os.close(self.status)


def read_number(status: int) -> int | None:
    """Read a number about a process from a pipe, None where it has ended."""
    written = os.read(status, NUMBER.size)
    number: int | None = NUMBER.unpack(written)[0] if len(written) == NUMBER.size else None
    return number


def write_number(status: int, number: int) -> None:
    """Write a number about a process into a pipe, unless nobody reads it any more."""
    with suppress(BrokenPipeError):
        os.write(status, NUMBER.pack(number))


def kill_group(pid: int) -> None:
    """Kill a process and those below it, such as those that prefetch batches."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
    with suppress(ProcessLookupError, PermissionError):
        os.kill(pid, signal.SIGKILL)


def start_interpreter(statement: str, *descriptors: int) -> subprocess.Popen[bytes]:
    """Start an interpreter that sees the modules that this process sees.

    Its session is its own, so that no signal of a terminal or of Ray reaches it. What tasks print
    is not the output of bench, which may be JSON.

    Args:
        statement: What it runs.
        descriptors: Those of this process that it has too.
    """
    return subprocess.Popen(
        [sys.executable, "-c", f"import sys; sys.path[:] = {absolute(sys.path)!r}; {statement}"],
        stdin=subprocess.DEVNULL,
        stdout=2,
        env=_QUIET | os.environ,
        pass_fds=descriptors,
        start_new_session=True,
    )


def absolute(paths: Sequence[str]) -> list[str]:
    """Return paths that hold in any working directory."""
    return [str(Path(each).absolute()) for each in paths]
