"""The handle that a client has of a task's process, whether it was forked or spawned."""

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
"""A number in a status pipe: the process id, which only the fork server writes, and at the end the
exit code."""
EXIT_SECONDS = 10.0
"""Seconds that a process may take to exit once its task is done."""
_QUIET = {"TORCH_CPP_LOG_LEVEL": "ERROR"}
"""Suppresses a warning of torch in each data-parallel training whose weights are all used."""


@dataclass
class ChildProcess:
    """A process in a process group of its own.

    Attributes:
        pid: Its process id, which is also the id of its group.
        connection: Sends the job and receives the events.
        status: A pipe from which its exit code (`NUMBER`) can be read once all of its group has
            ended. It closes without one if the writer, such as the fork server, has ended before.
    """

    pid: int
    connection: Connection
    status: int
    _ended: bool = field(default=False, init=False)
    _code: int | None = field(default=None, init=False)

    def wait(self, seconds: float) -> bool:
        """Wait so many seconds for a message or the end of the process; return whether one came."""
        return bool(wait([self.connection, self.status], seconds))

    def exit_code(self, seconds: float) -> int | None:
        """Wait for the end of the process; return its exit code, None if it is unknown."""
        if not self._ended and wait([self.status], seconds):
            self._ended = True
            self._code = read_number(self.status)
            if self._code is None:
                # The fork server has ended; the process may still run.
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
    """Return the next number in a status pipe, None if the pipe is closed."""
    written = os.read(status, NUMBER.size)
    number: int | None = NUMBER.unpack(written)[0] if len(written) == NUMBER.size else None
    return number


def write_number(status: int, number: int) -> None:
    """Write a number into a status pipe, unless its reader has closed it."""
    with suppress(BrokenPipeError):
        os.write(status, NUMBER.pack(number))


def kill_group(pid: int) -> None:
    """Kill a process and its descendants, such as those that prefetch batches."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
    with suppress(ProcessLookupError, PermissionError):
        os.kill(pid, signal.SIGKILL)


def start_interpreter(statement: str, *descriptors: int) -> subprocess.Popen[bytes]:
    """Start a Python interpreter with the `sys.path` of this process.

    It has its own session, so that no signal of a terminal or of Ray reaches it. Its stdout is the
    stderr of this process, because bench may print JSON on stdout.

    Args:
        statement: The Python statement that it runs.
        descriptors: File descriptors that it inherits.
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
    """Return absolute paths, which stay valid when the working directory changes."""
    return [str(Path(each).absolute()) for each in paths]
