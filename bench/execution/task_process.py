"""Tasks in processes of their own: a child per task, forked from a server that has imported torch.

What one task leaves behind, the next one does not see: neither patched functions and switches of
torch, nor the GPU that it was given, nor its memory. A child that hangs or crashes is no fault of
this process.
"""

from __future__ import annotations

import atexit
import os
import pickle
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import TYPE_CHECKING

from bench.core.errors import BenchError, one_line
from bench.execution.child import VISIBLE_GPUS, Job
from bench.execution.forkserver import NUMBER, kill_group
from bench.execution.lost import lost_attempt
from bench.tasks.memory import out_of_memory_kills
from bench.tasks.task import failed_attempt, run_rank, run_task
from bench.trials.events import Event, Failed, Finished
from bench.trials.rank import ALONE, Rank
from bench.trials.records import Attempt

if TYPE_CHECKING:
    from bench.trials.specs import Task
    from bench.trials.store import Store

_QUIET = {"TORCH_CPP_LOG_LEVEL": "ERROR"}
"""Without it, torch remarks on each data-parallel training that its weights are all used."""
_POLL_SECONDS = 0.2
_EXIT_SECONDS = 10.0
"""How long a process may take to end once its task is done."""
_START_SECONDS = 300.0
"""How long the server may take to import what tasks need, on a machine that is busy or slow."""


def start_task(
    task: Task,
    store: Store,
    attempts: Sequence[Attempt],
    gpus: Sequence[object],
    rank: Rank = ALONE,
) -> TaskProcess:
    """Run a task, or one rank of a data-parallel training, in a process of its own.

    Args:
        task: The training or evaluation.
        store: Where records are.
        attempts: Attempts of this run that failed before.
        gpus: The ids of the GPUs that it may see; none hides all of them.
        rank: Which process of the training it is.
    """
    loads = task.resources.workers != 0
    if not rank.leads:
        return TaskProcess(run_rank, (task.training, store, rank), gpus, loads=loads)
    return TaskProcess(run_task, (task, store, [*attempts], rank), gpus, loads=loads)


def own_gpus(task: Task) -> list[str]:
    """Return the GPUs for a task where this process gives them: the first that it sees."""
    count = -int(-task.resources.gpus // 1) * task.resources.devices
    visible = os.environ.get(VISIBLE_GPUS)
    ids = map(str, range(count)) if visible is None else visible.split(",")
    return [one for one in ids if one.strip()][:count]


class TaskProcess:
    """A call in a process of its own, whose events come through a pipe.

    Args:
        function: A function of a module, called with `arguments`. It returns events; the last one
            is `Finished` or `Failed`.
        arguments: Its arguments.
        gpus: The ids of the GPUs that the process may see; none hides all of them.
        loads: Whether it will start processes that prefetch batches.
    """

    def __init__(
        self,
        function: Callable[..., Iterator[Event | Attempt]],
        arguments: tuple[object, ...],
        gpus: Sequence[object] = (),
        *,
        loads: bool = False,
    ) -> None:
        self._fault: Attempt | None = None
        self._child: _Child | None = None
        self._done = False
        self._memory = out_of_memory_kills()
        try:
            call = pickle.dumps((function, arguments))
        except Exception as error:  # noqa: BLE001 (whatever pickling an object of others raises)
            self._fault = failed_attempt(
                "configuration",
                f"this task cannot be sent to a new process ({one_line(error)}); "
                "declare its components in a module that can be imported, not in a notebook or a "
                "function, or run it with --in-process",
            )
            return
        try:
            self._child = fork_child()
        except BenchError as error:
            self._fault = failed_attempt("lost worker", str(error))
            return
        job = Job(_environment(gpus), _folder(), _absolute(sys.path), loads, call)
        # Where it has ended already, its exit code says more.
        with suppress(OSError):
            self._child.connection.send_bytes(pickle.dumps(job))

    @property
    def pid(self) -> int | None:
        """The id of the process, which is that of its process group; None where none started."""
        return self._child.pid if self._child else None

    def poll(self, seconds: float) -> Event | Attempt | None:
        """Return the next event, how the process was lost, or None after so many seconds.

        The last event is returned once the process has ended, so that its memory and GPU are free.
        """
        if self._fault:
            fault, self._fault = self._fault, None
            self._done = True
            return fault
        if self._done or self._child is None:
            return None
        if not self._child.wait(seconds):
            return None
        if not self._child.connection.poll():
            return self._lost()
        try:
            message: Event | Attempt = self._child.connection.recv()
        except Exception:  # noqa: BLE001 (a message cut off in its middle is whatever it is)
            return self._lost()
        if isinstance(message, Finished | Failed | Attempt):
            self._done = True
            self._child.exit_code(_EXIT_SECONDS)
            self._child.kill()
        else:
            self._memory = out_of_memory_kills()
        return message

    def reports(self) -> Iterator[Event | Attempt]:
        """Yield all events; the last report is `Finished`, `Failed`, or a failed attempt."""
        while not self._done:
            if (report := self.poll(_POLL_SECONDS)) is not None:
                yield report

    def kill(self) -> None:
        """Kill the process and all below it; no more is reported."""
        self._done = True
        if self._child:
            self._child.kill()

    def _lost(self) -> Attempt:
        assert self._child  # noqa: S101 (it has been polled)
        code = self._child.exit_code(_EXIT_SECONDS)
        self.kill()
        return lost_attempt(code, short_of_memory=out_of_memory_kills() > self._memory)


@dataclass
class _Child:
    """A forked process: the connection to it, and the pipe in which the server reports on it."""

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
            self._code = _number(self.status)
            if self._code is None:
                # The server has ended, and not the process.
                kill_group(self.pid)
        return self._code

    def kill(self) -> None:
        """Kill the process, unless it has ended, and wait for its end."""
        if self.connection.closed:
            return
        self.exit_code(0.0)
        if not self._ended:
            kill_group(self.pid)
            self.exit_code(_EXIT_SECONDS)
        self.connection.close()
        os.close(self.status)


def fork_child() -> _Child:
    """Fork a process from the server of this process, which is started where none runs.

    Raises:
        BenchError: The server has ended twice, does not answer, or cannot be started.
    """
    for _ in range(2):
        server = running_server()
        ours, theirs = socket.socketpair()
        status, told = os.pipe()
        with theirs, suppress(BrokenPipeError, ConnectionResetError):
            socket.send_fds(server.control, [b"f"], [theirs.fileno(), told])
        os.close(told)
        if not wait([status], _START_SECONDS):
            server.end()
        if pid := _number(status):
            return _Child(pid, Connection(ours.detach()), status)
        os.close(status)
        ours.close()
        server.end()
    raise BenchError(
        "the process that forks tasks has ended twice before it forked one, most often for want of "
        "memory; free some, or run with --in-process to see what is wrong"
    )


def _number(status: int) -> int | None:
    """Read a number that the server wrote, None where it has ended."""
    written = os.read(status, NUMBER.size)
    number: int | None = NUMBER.unpack(written)[0] if len(written) == NUMBER.size else None
    return number


class _Server:
    """The server of this process, while it runs."""

    def __init__(self) -> None:
        self.owner = os.getpid()
        self.control, theirs = socket.socketpair()
        client = os.pidfd_open(self.owner)
        program = (
            f"import sys; sys.path[:] = {_absolute(sys.path)!r}; "
            f"from bench.execution.forkserver import serve; serve({theirs.fileno()}, {client})"
        )
        with theirs:
            # Its session is its own, so that no signal of a terminal or of Ray reaches it. What
            # tasks print is not the output of bench, which may be JSON.
            self._process = subprocess.Popen(
                [sys.executable, "-c", program],
                stdin=subprocess.DEVNULL,
                stdout=2,
                env=_QUIET | os.environ,
                pass_fds=(theirs.fileno(), client),
                start_new_session=True,
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
            self._process.wait(_EXIT_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


_lock = threading.Lock()
_servers: list[_Server] = []


def running_server() -> _Server:
    """Return the server of this process; start one where none runs, without waiting for it.

    Raises:
        BenchError: The system does not start it, or is not Linux.
    """
    if sys.platform != "linux":
        raise BenchError("processes per task require Linux; run with --in-process")
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


def _environment(gpus: Sequence[object]) -> dict[str, str]:
    return {**os.environ, VISIBLE_GPUS: ",".join(map(str, gpus))}


def _folder() -> str:
    try:
        return str(Path.cwd())
    except FileNotFoundError:
        # It has been removed.
        return "/"


def _absolute(path: Sequence[str]) -> list[str]:
    return [str(Path(each).absolute()) for each in path]
