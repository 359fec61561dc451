"""An executor without processes, which does what a test tells it."""

from __future__ import annotations

from collections import deque

from bench.core.errors import BenchError
from bench.tasks.task import failed_attempt
from bench.trials.events import Finished, Progress, Started

PROGRESS = Progress(1, 2, 0.5, 1.0, 1.0, 1.0, None)


def names_of(tasks):
    return {task.key: task.key for task in tasks}


class ScriptedExecutor:
    """Runs `slots` tasks at once, one event per poll each; a task fails as `causes` says, in turn.

    `starts` and `ends` list what started and ended, `most` is how many ran at once at most.
    """

    def __init__(self, slots=1, causes=None, hanging=()):
        self.slots = slots
        self.causes = {key: deque(listed) for key, listed in (causes or {}).items()}
        self.hanging = hanging
        self.queue, self.running = deque(), {}
        self.log, self.attempts, self.submitted, self.closed = [], [], 0, False

    def check(self, task):
        if task.resources.cpus > 99:
            raise BenchError("it is too large; lower cpus")

    def capacity(self, task):  # noqa: ARG002 (the same for all)
        return self.slots

    def submit(self, task, store, attempts):  # noqa: ARG002 (nothing is written)
        self.attempts.append((task, [attempt.cause for attempt in attempts]))
        self.queue.append(task)

    def poll(self):
        reports = []
        for task in [*self.running.values()]:
            if task.key in self.hanging:
                reports.append((task, PROGRESS))
                continue
            del self.running[task.key]
            causes = self.causes.get(task.key)
            self.log.append(("end", task))
            report = failed_attempt(causes.popleft(), "no") if causes else Finished("", 1.0)
            reports.append((task, report))
        while self.queue and len(self.running) < self.slots:
            task = self.queue.popleft()
            self.running[task.key] = task
            self.log.append(("start", task))
            reports.append((task, Started("cpu")))
        return reports

    def cancel(self, task):
        self.running.pop(task.key, None)
        self.queue = deque(each for each in self.queue if each.key != task.key)

    def close(self):
        self.closed = True
