"""Run each task in its own process.

On Linux a process is forked from a server that has imported torch (`forked`), elsewhere it is a new
interpreter (`spawned`). The interface is the same.

So a task does not inherit state of another one: no patched functions, settings of torch, assigned
GPU or memory. A child that hangs or crashes does not affect this process.
"""

from __future__ import annotations

import os
import pickle
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import TYPE_CHECKING

from bench.core.errors import BenchError, one_line
from bench.execution.child import VISIBLE_GPUS, Job
from bench.execution.child_process import EXIT_SECONDS, ChildProcess, absolute
from bench.execution.forked import can_fork, fork_child, running_server
from bench.execution.lost import lost_attempt
from bench.execution.spawned import spawn_child
from bench.tasks.memory import out_of_memory_kills
from bench.tasks.task import failed_attempt, run_rank, run_task
from bench.trials.events import Event, Failed, Finished
from bench.trials.rank import ALONE, Rank
from bench.trials.records import Attempt

if TYPE_CHECKING:
    from bench.trials.specs import Task
    from bench.trials.store import Store

_POLL_SECONDS = 0.2


def start_task(
    task: Task,
    store: Store,
    attempts: Sequence[Attempt],
    gpus: Sequence[object],
    rank: Rank = ALONE,
) -> TaskProcess:
    """Start a process that runs a task, or one rank of a data-parallel training.

    Args:
        task: The training or evaluation.
        store: Where records are.
        attempts: Attempts of this run that failed before.
        gpus: The ids of the GPUs that it may see; if empty, it sees none.
        rank: Which process of the training it is.
    """
    prefetches = task.resources.workers != 0
    if not rank.leads:
        return TaskProcess(run_rank, (task.training, store, rank), gpus, prefetches=prefetches)
    return TaskProcess(run_task, (task, store, [*attempts], rank), gpus, prefetches=prefetches)


def local_gpus(task: Task) -> list[str]:
    """Return the ids of GPUs for a task that runs without a cluster: the first visible ones."""
    count = -int(-task.resources.gpus // 1) * task.resources.devices
    visible = os.environ.get(VISIBLE_GPUS)
    ids = map(str, range(count)) if visible is None else visible.split(",")
    return [gpu for gpu in ids if gpu.strip()][:count]


class TaskProcess:
    """A function call in a process of its own, which sends its events through a pipe.

    Args:
        function: A function of a module, called with `arguments`. It returns events; the last one
            is `Finished` or `Failed`.
        arguments: Its arguments.
        gpus: The ids of the GPUs that the process may see; if empty, it sees none.
        prefetches: Whether it will start processes that prefetch batches.
    """

    def __init__(
        self,
        function: Callable[..., Iterator[Event | Attempt]],
        arguments: tuple[object, ...],
        gpus: Sequence[object] = (),
        *,
        prefetches: bool = False,
    ) -> None:
        self._fault: Attempt | None = None
        self._child: ChildProcess | None = None
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
            self._child = start_child()
        except BenchError as error:
            self._fault = failed_attempt("lost worker", str(error))
            return
        job = Job(_environment(gpus), _folder(), absolute(sys.path), prefetches, call)
        # If it has ended already, its exit code says more than this error.
        with suppress(OSError):
            self._child.connection.send_bytes(pickle.dumps(job))

    @property
    def pid(self) -> int | None:
        """The id of the process and of its process group; None if it did not start."""
        return self._child.pid if self._child else None

    @property
    def failed_to_start(self) -> bool:
        """Whether the process did not start; the next report is then the failed attempt."""
        return self._fault is not None

    @property
    def sources(self) -> list[Connection | int]:
        """What becomes readable with the next report; empty after the last one."""
        if self._done or self._child is None:
            return []
        return [self._child.connection, self._child.status]

    def poll(self, seconds: float) -> Event | Attempt | None:
        """Return the next event, a failed attempt if the process was lost, or None after a time.

        The last event is returned once the process has ended, so that its memory and GPU are free.

        Args:
            seconds: The longest time to wait.
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
        except Exception:  # noqa: BLE001 (a truncated message may raise anything)
            return self._lost()
        if isinstance(message, Finished | Failed | Attempt):
            self._done = True
            self._child.exit_code(EXIT_SECONDS)
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
        """Kill the process and its descendants; nothing more is reported."""
        self._done = True
        if self._child:
            self._child.kill()

    def _lost(self) -> Attempt:
        assert self._child  # noqa: S101 (it has been polled)
        code = self._child.exit_code(EXIT_SECONDS)
        self.kill()
        return lost_attempt(code, short_of_memory=out_of_memory_kills() > self._memory)


def with_reports(processes: Sequence[TaskProcess], seconds: float) -> list[TaskProcess]:
    """Return the processes that have a report, after so many seconds at most."""
    sources = {source: each for each in processes for source in each.sources}
    if any(each.failed_to_start for each in processes):
        seconds = 0.0
    ready = [sources[source] for source in wait([*sources], seconds)]  # type: ignore[index]
    return [each for each in processes if each.failed_to_start or each in ready]


def start_fork_server() -> None:
    """Start the fork server, which the first task needs, without waiting for it.

    Raises:
        BenchError: It cannot be started.
    """
    if can_fork():
        running_server()


def start_child() -> ChildProcess:
    """Start a process that waits for a job: a fork if the system supports it.

    Raises:
        BenchError: It cannot be started.
    """
    return fork_child() if can_fork() else spawn_child()


def _environment(gpus: Sequence[object]) -> dict[str, str]:
    return {**os.environ, VISIBLE_GPUS: ",".join(map(str, gpus))}


def _folder() -> str:
    try:
        return str(Path.cwd())
    except FileNotFoundError:
        # It has been removed.
        return "/"
