"""The process of one task: it runs the task and sends the events to its client.

The client is the process that asked for it (`bench.execution.task_process`), whose environment
variables, working directory and `sys.path` it takes over. It is a fork of a server
(`bench.execution.forkserver`) or a new interpreter (`bench.execution.spawned`).
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
    """A function for a child process to run, and the environment to run it in.

    Attributes:
        environment: All environment variables of the client, which may have changed since the
            server started.
        folder: The working directory.
        path: `sys.path`, so that components from outside bench can be imported.
        prefetches: Whether the child will start processes that prefetch batches.
        call: A pickled function and its arguments; the function returns the events.
    """

    environment: dict[str, str]
    folder: str
    path: list[str]
    prefetches: bool
    call: bytes


def run_forked(descriptor: int, client: int) -> NoReturn:
    """Receive a job through a socket, run it, send its events, and end this forked process.

    Args:
        descriptor: The socket.
        client: A pidfd of the client. This process ends with it.
    """
    _end_after(lambda: _run(descriptor, client, forked=True))


def run_spawned(descriptor: int) -> NoReturn:
    """Receive a job through a socket, run it, send its events, and end this new interpreter.

    Args:
        descriptor: The socket. Its other end closes when the client ends.
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
        client: A descriptor that becomes readable when the client has ended, and not before the
            job has been read.
        forked: Whether this process is a fork, in which the modules of tasks are imported already.
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
    """Set environment variables, working directory and `sys.path` to those of the client."""
    os.environ.clear()
    os.environ.update(job.environment)
    os.chdir(job.folder)
    sys.path[:] = job.path
    for folder in job.path:
        # What the server has listed there may be older than a component. To invalidate the caches
        # of all folders would write to, and so copy, the memory of hundreds.
        sys.path_importer_cache.pop(folder, None)


def _messages(call: bytes) -> Iterable[Any]:
    """Yield the events of a pickled call; after an exception, a failed attempt."""
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
    """Wait until the client ends, then kill this process and its descendants."""
    wait([client])
    os.killpg(os.getpgid(0), signal.SIGKILL)


def fork_loader_server(*private: int) -> None:
    """Fork the fork server of `multiprocessing`, which starts processes that prefetch batches.

    One that `multiprocessing` starts itself would import torch again for each task. A fork of this
    process, in which nothing has run yet, has imported it. It is in the process group of this
    process, and ends with it.

    Args:
        private: Descriptors that the server must not keep open.
    """
    # Windows has no such module.
    from multiprocessing import forkserver as loader_server

    server: Any = loader_server._forkserver  # noqa: SLF001 (there is no public name)
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
