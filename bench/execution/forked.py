"""Start processes of tasks as forks of a server that has imported torch (Linux only)."""

from __future__ import annotations

import atexit
import os
import socket
import subprocess
import threading
from contextlib import suppress
from multiprocessing.connection import Connection, wait

from bench.core.errors import BenchError
from bench.execution.child_process import (
    EXIT_SECONDS,
    ChildProcess,
    read_number,
    start_interpreter,
)

_START_SECONDS = 300.0
"""Seconds that the server may take to import the modules of tasks, on a busy or slow machine."""


def can_fork() -> bool:
    """Return whether the fork server works here: it requires pidfds, so Linux 5.3 or later."""
    try:
        os.close(os.pidfd_open(os.getpid()))
    except (AttributeError, OSError):
        return False
    return True


def fork_child() -> ChildProcess:
    """Fork a process from the fork server of this process, which is started if none runs.

    Raises:
        BenchError: The server has ended twice, does not answer, or cannot be started.
    """
    for _ in range(2):
        server = running_server()
        ours, theirs = socket.socketpair()
        status, their_status = os.pipe()
        with theirs, suppress(BrokenPipeError, ConnectionResetError):
            socket.send_fds(server.control, [b"f"], [theirs.fileno(), their_status])
        os.close(their_status)
        if not wait([status], _START_SECONDS):
            server.end()
        if pid := read_number(status):
            return ChildProcess(pid, Connection(ours.detach()), status)
        os.close(status)
        ours.close()
        server.end()
    raise BenchError(
        "the process that forks tasks has ended twice before it forked one, most often because "
        "memory is exhausted; free some, or run with --in-process to see the cause"
    )


class _Server:
    """The fork server of this process, as its client."""

    def __init__(self) -> None:
        self.owner = os.getpid()
        self.control, theirs = socket.socketpair()
        client = os.pidfd_open(self.owner)
        arguments = f"{theirs.fileno()}, {client}"
        with theirs:
            self._process = start_interpreter(
                f"from bench.execution.forkserver import serve; serve({arguments})",
                theirs.fileno(),
                client,
            )
        os.close(client)

    @property
    def pid(self) -> int:
        """The id of its process."""
        return self._process.pid

    @property
    def runs(self) -> bool:
        """Whether it runs, and belongs to this process and not to one that this was forked from."""
        return self.owner == os.getpid() and self._process.poll() is None

    def end(self) -> None:
        """End the server and all its children."""
        self.control.close()
        try:
            self._process.wait(EXIT_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


_lock = threading.Lock()
_servers: list[_Server] = []


def running_server() -> _Server:
    """Return the fork server of this process; start one if none runs, without waiting for it.

    Raises:
        BenchError: It cannot be started.
    """
    with _lock:
        if not (_servers and _servers[-1].runs):
            _end_servers()
            try:
                _servers.append(_Server())
            except OSError as error:
                raise BenchError(
                    f"no process can be started for tasks ({error}); run with --in-process"
                ) from None
        return _servers[-1]


@atexit.register
def _end_servers() -> None:
    """End all fork servers that this process has started."""
    while _servers:
        server = _servers.pop()
        if server.owner == os.getpid():
            server.end()
