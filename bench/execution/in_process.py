"""Run all tasks one after another in this process, for debuggers and notebooks."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from bench.core.errors import BenchError, one_line
from bench.tasks.task import failed_attempt, run_task
from bench.trials.events import Failed, Finished

if TYPE_CHECKING:
    from bench.execution.schedule import Report
    from bench.trials.events import Event
    from bench.trials.records import Attempt
    from bench.trials.specs import Task
    from bench.trials.store import Store


class InProcessExecutor:
    """Runs tasks in the order of their submission, in this process.

    State that one task leaves, such as a patched function, affects the next one. A task that hangs
    or exits also stops this process.
    """

    def __init__(self) -> None:
        self._queue: deque[tuple[Task, Generator[Event, None, None]]] = deque()

    def check(self, task: Task) -> None:
        """Raise BenchError if a task requires more than one process."""
        if task.resources.devices > 1:
            raise BenchError(
                f"devices = {task.resources.devices}: a data-parallel training requires a process "
                "per device; run it without --in-process"
            )

    def capacity(self, task: Task) -> int:  # noqa: ARG002 (the same for all)
        """Return 1: one task at a time."""
        return 1

    def submit(self, task: Task, store: Store, attempts: Sequence[Attempt]) -> None:
        """Queue a task."""
        if not task.resources.gpus and task.resources.device == "auto":
            # Like a task in its own process, it computes on the GPU that it reserves, or on none.
            run = task.with_resources(replace(task.resources, device="cpu"))
        else:
            run = task
        self._queue.append((task, run_task(run, store, attempts)))

    def poll(self) -> list[Report]:
        """Run the first task up to its next event."""
        if not self._queue:
            return []
        task, events = self._queue[0]
        try:
            event = next(events)
        except Exception as error:  # noqa: BLE001 (a fault before the task began, such as a full disk)
            self._queue.popleft()
            return [(task, failed_attempt("error", one_line(error)))]
        if isinstance(event, Finished | Failed):
            self._queue.popleft()
            for _ in events:  # Nothing follows but the end of its log.
                pass
        return [(task, event.failure.attempts[-1] if isinstance(event, Failed) else event)]

    def cancel(self, task: Task) -> None:
        """End a task that is queued or between two of its events."""
        for each in [*self._queue]:
            if each[0].key == task.key:
                self._queue.remove(each)
                each[1].close()

    def close(self) -> None:
        """Drop all queued tasks."""
        while self._queue:
            _, events = self._queue.popleft()
            events.close()
