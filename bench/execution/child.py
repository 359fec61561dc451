"""The process of one task: set up as its client is, it sends the events of the task.

It is a fork of a server, or an interpreter of its own.
"""

from __future__ import annotations

import multiprocessing.util
import os
import pickle
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any, NoReturn

from bench.core.errors import one_line
from bench.execution.preload import preload
from bench.tasks.task import failed_attempt

VISIBLE_GPUS = "CUDA_VISIBLE_DEVICES"


@dataclass(frozen=True)
class Job:
    """What a child runs, and under what.

    Attributes:
        environment: All environment variables. They are the client's of now, while the server has
            those of the moment it started.
        folder: The working directory.
        path: `sys.path`, so that components from outside bench can be imported.
        prefetches: Whether processes below this one will prefetch batches.
        call: A function and its arguments, pickled. It returns the events.
    """

    environment: dict[str, str]
    folder: str
    path: list[str]
    prefetches: bool
    call: bytes


def run_forked(descriptor: int, client: int) -> NoReturn:
    """Run the job that comes through a socket, send its events, and end this process.

    Args:
        descriptor: The socket.
        client: A pidfd of the process that receives the events. This process ends with it.
    """
    _end_after(lambda: _run(descriptor, client, forked=True))


def run_spawned(descriptor: int) -> NoReturn:
    """Do the same in a new interpreter, the leader of its process group.

    Args:
        descriptor: The socket. Its other end closes when the process that receives the events ends.
    """
    os.set_inheritable(descriptor, False)  # noqa: FBT003 (positional only)
    client = os.dup(descriptor)

    def run() -> int:
        try:
            return _run(descriptor, client, forked=False)
        finally:
            # It removes files, such as the socket of a server of processes that prefetch batches.
            multiprocessing.util._exit_function()  # type: ignore[attr-defined]  # noqa: SLF001

    _end_after(run)


def _end_after(run: Callable[[], int]) -> NoReturn:
    """Run a function and end this process with its exit code, without exit handlers."""
    code = 1
    # A signal sent to all processes of bench ends this one without a stack trace in the log.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        code = run()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    finally:
        with suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def _run(descriptor: int, client: int, *, forked: bool) -> int:
    """Run the job of a socket and send its events; return the exit code.

    Args:
        descriptor: The socket.
        client: A descriptor that becomes readable when the process that receives the events has
            ended, and not before the job has been read.
        forked: Whether this process has what tasks import.
    """
    with Connection(descriptor) as connection:
        try:
            job: Job = pickle.loads(connection.recv_bytes())  # noqa: S301 (from bench's own process)
        except EOFError:
            return 0
        _set_up(job)
        if forked and job.prefetches:
            fork_loader_server(descriptor, client)
        threading.Thread(target=_end_with, args=(client,), daemon=True).start()
        if not forked:
            preload()
        for message in _messages(job.call):
            connection.send(message)
    return 0


def _set_up(job: Job) -> None:
    """Give this process the environment, the folder and the modules of its client."""
    os.environ.clear()
    os.environ.update(job.environment)
    os.chdir(job.folder)
    sys.path[:] = job.path
    for folder in job.path:
        # What the server has listed there may be older than a component. To invalidate the caches
        # of all folders would write to, and so copy, the memory of hundreds.
        sys.path_importer_cache.pop(folder, None)


def _messages(call: bytes) -> Iterable[Any]:
    """Yield the events of a pickled call; any fault of it ends in a failed attempt."""
    from bench.training.device import keep_freed_memory

    keep_freed_memory()
    try:
        function, arguments = pickle.loads(call)  # noqa: S301 (from bench's own process)
    except (Exception, SystemExit) as error:  # noqa: BLE001 (whatever components raise)
        yield failed_attempt(
            "configuration",
            f"a new process cannot import the components of this task ({one_line(error)}); "
            "declare them in a module on sys.path or in an installed package",
        )
        return
    try:
        yield from function(*arguments)
    except Exception as error:  # noqa: BLE001 (a fault before the task began, such as a full disk)
        yield failed_attempt("error", one_line(error))


def _end_with(client: int) -> None:
    """Kill this process and those below it when its client ends."""
    wait([client])
    os.killpg(os.getpgid(0), signal.SIGKILL)


def fork_loader_server(*private: int) -> None:
    """Fork the server of the processes that prefetch batches, which `multiprocessing` would start.

    A new one would import torch again, for each task that prefetches. A fork of this process has
    imported it, as long as nothing has run here yet. Like all below this process it is in its
    process group, and ends with it.

    Args:
        private: Descriptors that are of no concern to it.
    """
    # Windows has no such module.
    from multiprocessing import forkserver as loader_server

    server: Any = loader_server._forkserver  # noqa: SLF001 (it has no other door)
    listener = socket.socket(socket.AF_UNIX)
    # An address in Linux's abstract namespace is no file that a killed process would leave.
    listener.bind(f"\0bench-{os.getpid()}-{os.urandom(8).hex()}")
    listener.listen()
    alive, keep_alive = os.pipe()
    pid = os.fork()
    if pid == 0:
        for unused in (keep_alive, *private):
            os.close(unused)
        with suppress(BaseException):
            loader_server.main(listener.detach(), alive, [])
        os._exit(0)
    os.close(alive)
    server._forkserver_address = listener.getsockname()  # noqa: SLF001
    server._forkserver_alive_fd = keep_alive  # noqa: SLF001
    server._forkserver_pid = pid  # noqa: SLF001
    listener.close()
