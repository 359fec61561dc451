"""Processes of tasks by a fork each of a server that has imported torch; it needs Linux."""

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
"""How long the server may take to import what tasks need, on a machine that is busy or slow."""


def can_fork() -> bool:
    """Return whether this system has what the server is made of: Linux since 5.3."""
    try:
        os.close(os.pidfd_open(os.getpid()))
    except (AttributeError, OSError):
        return False
    return True


def fork_child() -> ChildProcess:
    """Fork a process from the server of this process, which is started where none runs.

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
    """The server of this process, while it runs."""

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
        """Whether it runs, for this process and not for one that this one is a fork of."""
        return self.owner == os.getpid() and self._process.poll() is None

    def end(self) -> None:
        """End it, and all its children."""
        self.control.close()
        try:
            self._process.wait(EXIT_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


_lock = threading.Lock()
_servers: list[_Server] = []


def running_server() -> _Server:
    """Return the server of this process; start one where none runs, without waiting for it.

    Raises:
        BenchError: The system does not start it.
    """
    with _lock:
        if not (_servers and _servers[-1].runs):
            _end_servers()
            try:
                _servers.append(_Server())
            except OSError as error:
                raise BenchError(
                    f"the system starts no process for tasks ({error}); run with --in-process"
                ) from None
        return _servers[-1]


@atexit.register
def _end_servers() -> None:
    """End what may be left of the servers of this process."""
    while _servers:
        server = _servers.pop()
        if server.owner == os.getpid():
            server.end()
