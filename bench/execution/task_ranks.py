"""All processes of a task on one machine: one per device of a data-parallel training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from bench.execution.task_process import TaskProcess, start_task, with_reports
from bench.trials.events import Event, Failed, Finished, Listening
from bench.trials.rank import Rank
from bench.trials.records import Attempt

if TYPE_CHECKING:
    from bench.trials.specs import Task
    from bench.trials.store import Store


class TaskRanks:
    """One process per device; the first that fails ends all others.

    Args:
        task: A training on several devices, or any task on one.
        store: Where records are.
        attempts: Attempts of this run that failed before.
        gpus: The ids of the GPUs, one per device; if empty, the processes see none.
    """

    def __init__(
        self, task: Task, store: Store, attempts: Sequence[Attempt], gpus: Sequence[object]
    ) -> None:
        self._task, self._store, self._attempts = task, store, attempts
        self._gpus = gpus
        self._processes: list[TaskProcess] = []
        self._start(Rank(count=task.resources.devices))

    def poll(self, seconds: float) -> Event | Attempt | None:
        """Return the next event of rank 0 or failed attempt of any rank; None after `seconds`."""
        leader = self._processes[0]
        for process in with_reports(self._processes, seconds):
            report = process.poll(0.0)
            if isinstance(report, Listening):
                for number in range(1, report.rank.count):
                    self._start(replace(report.rank, number=number))
            elif isinstance(report, Attempt) or (report and process is leader):
                if isinstance(report, Finished | Failed | Attempt):
                    self.kill()
                return report
        return None

    def kill(self) -> None:
        """Kill all processes; nothing more is reported."""
        for process in self._processes:
            process.kill()

    def _start(self, rank: Rank) -> None:
        gpus = self._gpus
        if not rank.alone:
            gpus = gpus[rank.number : rank.number + 1]
        self._processes.append(start_task(self._task, self._store, self._attempts, gpus, rank))
