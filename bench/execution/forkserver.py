"""A server that has imported the modules of tasks, and forks the process of each task.

Importing torch takes seconds. To save that time by running several tasks in one process would let
each task inherit the state of the one before: another default dtype, a patched function, its GPU.
The server imports the modules and runs nothing else: it calls no torch operation, uses no GPU and
starts no thread. So a fork of it is a fresh process within milliseconds.

One server belongs to one process, its client, and ends with it. It runs this module and nothing of
the client's main module. `bench.execution.forked` is the client's side.
"""

from __future__ import annotations

import os
import selectors
import signal
import socket
import warnings
from contextlib import suppress
from typing import NoReturn

from bench.execution.child import run_forked
from bench.execution.child_process import kill_group, write_number
from bench.execution.preload import preload, use_large_pages


def serve(control: int, client: int) -> NoReturn:
    """Fork a child per request until the client ends; end the children with it.

    Args:
        control: A socket. A request is one byte with two descriptors: the socket of the child, and
            the pipe for its id and its exit code (`write_number`).
        client: A pidfd of the client.
    """
    for descriptor in (control, client):
        os.set_inheritable(descriptor, False)  # noqa: FBT003 (positional only)
    os.chdir("/")
    preload()
    use_large_pages()
    server = _Server(socket.socket(fileno=control), client)
    try:
        server.run()
    finally:
        server.end_children()
        os._exit(0)


class _Server:
    def __init__(self, control: socket.socket, client: int) -> None:
        self._control, self._client = control, client
        self._children: dict[int, int] = {}
        self._woken, self._wake = os.pipe()
        for end in (self._woken, self._wake):
            os.set_blocking(end, False)

    def run(self) -> None:
        """Serve until the client has ended or has closed the socket."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        # A handler is what makes the arrival of the signal wake the selector.
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._wake, warn_on_full_buffer=False)
        with selectors.DefaultSelector() as selector:
            for readable in (self._control, self._client, self._woken):
                selector.register(readable, selectors.EVENT_READ)
            while True:
                ready = {key.fileobj for key, _ in selector.select()}
                if self._woken in ready:
                    self._report_ended()
                if self._client in ready:
                    return
                if self._control in ready and not self._fork(selector):
                    return

    def end_children(self) -> None:
        """Kill all children with their descendants."""
        for pid in self._children:
            kill_group(pid)

    def _fork(self, selector: selectors.BaseSelector) -> bool:
        """Fork a child for the next request; return False once the client has closed the socket."""
        message, descriptors, *_ = socket.recv_fds(self._control, 1, 2)
        if not message:
            return False
        connection, status = descriptors
        for descriptor in descriptors:
            os.set_inheritable(descriptor, False)  # noqa: FBT003 (positional only)
        pid = _fork_process()
        if pid == 0:
            selector.close()
            for unused in (self._woken, self._wake, status, *self._children.values()):
                os.close(unused)
            self._control.close()
            _become_child(connection, self._client)
        with suppress(OSError):
            # The child does this too: so its group exists before its id is sent.
            os.setpgid(pid, pid)
        os.close(connection)
        self._children[pid] = status
        write_number(status, pid)
        return True

    def _report_ended(self) -> None:
        """Report the exit codes of ended children."""
        with suppress(BlockingIOError):
            os.read(self._woken, 65536)
        for pid in [*self._children]:
            if os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
                continue
            # Until it is waited for, its id and that of its group are not used again.
            kill_group(pid)
            _, code = os.waitpid(pid, 0)
            status = self._children.pop(pid)
            write_number(status, os.waitstatus_to_exitcode(code))
            os.close(status)


def _fork_process() -> int:
    with warnings.catch_warnings():
        # The threads that Python 3.12 warns of are those of libraries for matrices, which end them
        # before a fork and start them again when they compute.
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()


def _become_child(connection: int, client: int) -> NoReturn:
    """Run one task in this process, a new child, and end it."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setpgid(0, 0)
    run_forked(connection, client)
