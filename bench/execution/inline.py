"""Run all tasks one after another on this machine, each in its own process, without Ray."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING

from bench.execution.lost import await_signal
from bench.execution.task_process import local_gpus, start_fork_server
from bench.execution.task_ranks import TaskRanks
from bench.trials.events import Failed, Finished
from bench.trials.records import Attempt

if TYPE_CHECKING:
    from bench.execution.schedule import Report
    from bench.trials.specs import Task
    from bench.trials.store import Store

_WAIT_SECONDS = 0.5


class InlineExecutor:
    """Runs tasks in the order of their submission; a crash of a process fails only its task."""

    def __init__(self) -> None:
        self._queue: deque[tuple[Task, Store, Sequence[Attempt]]] = deque()
        self._process: TaskRanks | None = None
        # The fork server imports torch while this process reads the plan.
        start_fork_server()

    def check(self, task: Task) -> None:
        """Accept every task: on this machine nothing is reserved."""

    def capacity(self, task: Task) -> int:  # noqa: ARG002 (the same for all)
        """Return 1: one task at a time."""
        return 1

    def submit(self, task: Task, store: Store, attempts: Sequence[Attempt]) -> None:
        """Queue a task."""
        self._queue.append((task, store, attempts))

    def poll(self) -> list[Report]:
        """Start the first task if it was not, and wait a moment for its next event."""
        if not self._queue:
            return []
        task, store, attempts = self._queue[0]
        if self._process is None:
            self._process = TaskRanks(task, store, attempts, local_gpus(task))
        report = self._process.poll(_WAIT_SECONDS)
        if report is None:
            return []
        if isinstance(report, Attempt) and report.cause == "lost worker":
            await_signal()
        if isinstance(report, Finished | Failed | Attempt):
            self._end_first()
        return [(task, report.failure.attempts[-1] if isinstance(report, Failed) else report)]

    def cancel(self, task: Task) -> None:
        """Kill the process of a task, or take the task out of the queue."""
        if self._queue and self._queue[0][0].key == task.key:
            self._end_first()
        self._queue = deque(each for each in self._queue if each[0].key != task.key)

    def close(self) -> None:
        """Kill the running task and drop all queued ones."""
        if self._queue:
            self._end_first()
        self._queue.clear()

    def _end_first(self) -> None:
        self._queue.popleft()
        if self._process is not None:
            self._process.kill()
            self._process = None
