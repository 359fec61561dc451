"""Run tasks on an executor: order, dependencies, retries and time limits."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, Protocol

from bench.core import entry_points
from bench.core.errors import BenchError, did_you_mean
from bench.core.plugin_files import with_how_to_add
from bench.core.plugin_modules import import_faults, plugin_modules
from bench.core.signals import raise_if_interrupted
from bench.execution.retries import back_off, retried
from bench.execution.run_monitor import RunMonitor
from bench.tasks.task import fail, failed_attempt
from bench.trials.durations import SUBMITTED_AHEAD
from bench.trials.events import (
    Cancelled,
    Event,
    Failed,
    Finished,
    FinishedElsewhere,
    HeldElsewhere,
    NotRun,
    Retried,
    Started,
)
from bench.trials.leases import Leases
from bench.trials.records import Attempt
from bench.trials.specs import Evaluation

if TYPE_CHECKING:
    from bench.config.recipe import Resources
    from bench.trials.records import Failure
    from bench.trials.specs import Task
    from bench.trials.store import Store

Report = tuple["Task", Event | Attempt]
"""A task with its next event, or with its failed attempt."""
_IDLE_SECONDS = 0.5
_LEASE_SECONDS = 2.0
"""Seconds between checks of a task that another process works on."""


class Executor(Protocol):
    """Runs submitted tasks; `Schedule` decides about order, dependencies, retries, time limits."""

    def check(self, task: Task) -> None:
        """Raise BenchError if no machine is large enough for `task`."""
        ...

    def capacity(self, task: Task) -> int:
        """Return how many tasks like `task` can run at once."""
        ...

    def submit(self, task: Task, store: Store, attempts: Sequence[Attempt]) -> None:
        """Start a task, or queue it."""
        ...

    def poll(self) -> list[Report]:
        """Wait a moment for events; a failed attempt is the last report of its task."""
        ...

    def cancel(self, task: Task) -> None:
        """End a task that runs or is queued."""
        ...

    def close(self) -> None:
        """End everything that runs."""
        ...


def _inline(address: str | None) -> AbstractContextManager[Executor]:  # noqa: ARG001 (has none)
    from bench.execution.inline import InlineExecutor

    return nullcontext(InlineExecutor())


def _in_process(address: str | None) -> AbstractContextManager[Executor]:  # noqa: ARG001
    from bench.execution.in_process import InProcessExecutor

    return nullcontext(InProcessExecutor())


def _ray(address: str | None) -> AbstractContextManager[Executor]:
    from bench.execution.ray import connect

    return connect(address)


EXECUTORS: dict[str, Callable[[str | None], AbstractContextManager[Executor]]] = {
    "ray": _ray,
    "inline": _inline,
    "in-process": _in_process,
}
"""The executors of bench by name; a plug-in has a dictionary of this name and type, other packages
have entry points of the group `bench.executor`."""


def open_executor(name: str, address: str | None = None) -> AbstractContextManager[Executor]:
    """Return the executor `name`. Raises BenchError where it is unknown or cannot be imported."""
    if name in EXECUTORS:
        return EXECUTORS[name](address)
    others: dict[str, Callable[[str | None], AbstractContextManager[Executor]]] = {}
    for module in plugin_modules().values():
        others.update(getattr(module, "EXECUTORS", {}))
    points, faults = entry_points.load("bench.executor", name=name)
    for _, open_other in points:
        others.setdefault(name, open_other)
    if name in others:
        return others[name](address)
    hint = did_you_mean(name, [*EXECUTORS, *others])
    sentence = f"there is no executor '{name}'{hint}"
    raise BenchError(with_how_to_add(sentence, [*import_faults(), *faults]))


@dataclass
class _TaskState:
    """A task that is due or submitted.

    Attributes:
        task: The task.
        before: When its record and its failure were written before this run (`Store.written`).
        attempts: Attempts of this run that failed before.
        started: When this attempt started, by `time.monotonic`.
        elsewhere: Whether another process works on it.
    """

    task: Task
    before: tuple[int | None, int | None]
    attempts: list[Attempt] = field(default_factory=list)
    started: float | None = None
    elsewhere: bool = False


@dataclass
class Schedule:
    """The tasks of a run that wait for a training, that are due, and that are submitted.

    An evaluation is due as soon as its training is done, and precedes trainings that have not
    started, so that boards fill row by row. The run also waits for tasks that another process works
    on.

    Attributes:
        executor: Runs tasks.
        store: Where records are.
        leases: The leases of the tasks that this process works on.
        watch: Called about twice a second; returns the keys of the tasks to cancel.
        due: Tasks to submit, each with the earliest time to do so, by `time.monotonic`.
        waiting: Evaluations by the key of their training.
        running: The tasks submitted to the executor, by key.
        slots: The largest number of tasks that run at once, by the executor; 0 before it is known.
    """

    executor: Executor
    store: Store
    leases: Leases
    watch: Callable[[Schedule], Sequence[str]] = lambda _: ()
    due: list[tuple[float, _TaskState]] = field(default_factory=list)
    waiting: dict[str, list[_TaskState]] = field(default_factory=dict)
    running: dict[str, _TaskState] = field(default_factory=dict)
    slots: int = 0

    @classmethod
    def from_tasks(
        cls,
        tasks: Sequence[Task],
        executor: Executor,
        store: Store,
        leases: Leases,
        watch: Callable[[Schedule], Sequence[str]] = lambda _: (),
    ) -> Schedule:
        """Return the schedule of `tasks`. Raises BenchError if one is too large to run."""
        schedule = cls(executor, store, leases, watch)
        trainings = {task.key for task in tasks if task.kind == "training"}
        for task in tasks:
            executor.check(task)
            state = _TaskState(task, store.written(task))
            required = task.training if isinstance(task, Evaluation) else None
            if required and required.key in trainings:
                schedule.waiting.setdefault(required.key, []).append(state)
            else:
                schedule.due.append((0.0, state))
        return schedule

    def events(self) -> Iterator[tuple[Task, Event]]:
        """Yield the events of all tasks as they arrive, until none is left."""
        while self.due or self.running:
            raise_if_interrupted()
            yield from self._submit()
            for key in self.watch(self):
                yield from self._cancel(key)
            if not self.running:
                time.sleep(_IDLE_SECONDS)
                continue
            for task, report in [*self.executor.poll(), *self._stop_overdue()]:
                if task.key in self.running:
                    yield from self._handle_report(self.running[task.key], report)

    def _submit(self) -> Iterator[tuple[Task, Event]]:
        """Submit due tasks, evaluations first, while the executor has free slots.

        Yields events of tasks that other processes work on or have ended.
        """
        now = time.monotonic()
        self.due.sort(key=lambda each: each[1].task.kind == "training")
        due, self.due = self.due, []
        # A cluster is asked for its nodes once for all tasks that reserve the same.
        capacities: dict[Resources, int] = {}
        for moment, state in due:
            resources = state.task.resources
            if resources not in capacities:
                capacities[resources] = self.executor.capacity(state.task)
            if moment > now or len(self.running) >= capacities[resources] + SUBMITTED_AHEAD:
                self.due.append((moment, state))
                continue
            event = self._take_lease(state)
            if state.elsewhere:
                self.due.append((now + _LEASE_SECONDS, state))
            if event:
                yield state.task, event
                if isinstance(event, FinishedElsewhere | Failed):
                    yield from self._end(state.task, event)
            elif not state.elsewhere:
                self.running[state.task.key] = state
                self.executor.submit(state.task, self.store, state.attempts)
        self.slots = max(capacities.values(), default=self.slots)

    def _cancel(self, key: str) -> Iterator[tuple[Task, Event]]:
        """Remove a task from the schedule, and stop it if it was submitted."""
        if key in self.running:
            states = [self.running.pop(key)]
            self.executor.cancel(states[0].task)
        else:
            queued = [*(state for _, state in self.due), *chain(*self.waiting.values())]
            states = [state for state in queued if state.task.key == key]
            self.due = [each for each in self.due if each[1].task.key != key]
            for training, evaluations in self.waiting.items():
                self.waiting[training] = [each for each in evaluations if each.task.key != key]
        for state in states:
            yield state.task, Cancelled()
            yield from self._end(state.task, Cancelled())

    def _take_lease(self, state: _TaskState) -> Event | None:
        """Take the lease of a task; return an event if another process holds or has ended it."""
        task, noticed = state.task, state.elsewhere
        holder = self.leases.take(task.key)
        state.elsewhere = holder is not None
        if holder:
            return None if noticed else HeldElsewhere(str(holder))
        record, failure = self.store.written(task)
        if record not in {None, state.before[0]}:
            return FinishedElsewhere()
        if state.attempts or failure in {None, state.before[1]}:
            return None
        failed = self.store.failure(task)
        return Failed(failed) if failed else None

    def _end(self, task: Task, event: Event) -> Iterator[tuple[Task, Event]]:
        """Release the lease of a task; its evaluations are due if it is done, else not run."""
        self.leases.release(task.key)
        evaluations = self.waiting.pop(task.key, [])
        if isinstance(event, Finished | FinishedElsewhere):
            self.due += [(0.0, state) for state in evaluations]
            return
        cause = "was cancelled" if isinstance(event, Cancelled) else "failed"
        for state in evaluations:
            yield state.task, NotRun(cause)

    def _handle_report(
        self, state: _TaskState, report: Event | Attempt
    ) -> Iterator[tuple[Task, Event]]:
        """Update the schedule by a report; yield the events to show."""
        task = state.task
        if isinstance(report, Started):
            state.started = time.monotonic()
        elif isinstance(report, Finished):
            del self.running[task.key]
            yield task, report
            yield from self._end(task, report)
            return
        elif isinstance(report, Attempt):
            del self.running[task.key]
            attempts = [*state.attempts, report]
            again = retried(task, attempts)
            if again is None:
                failed = Failed(fail(task, self.store, attempts))
                yield task, failed
                yield from self._end(task, failed)
                return
            next_time = time.monotonic() + back_off(report.cause)
            self.due.append((next_time, _TaskState(again, state.before, attempts)))
            yield task, Retried(report)
            return
        yield task, report

    def _stop_overdue(self) -> list[Report]:
        """Stop attempts that exceed their time limit; return these failed attempts."""
        reports: list[Report] = []
        for state in [*self.running.values()]:
            limit = state.task.resources.time_limit
            if limit and state.started and time.monotonic() - state.started >= limit:
                self.executor.cancel(state.task)
                message = f"over its time limit of {limit:g} s"
                reports.append((state.task, failed_attempt("timeout", message)))
        return reports


_OPENING = {"ray": "starting Ray", "inline": "", "in-process": ""}


def opening_phase(name: str, address: str | None) -> str:
    """Return the name of the phase of opening an executor; empty if that is quick."""
    if name == "ray" and address:
        return f"connecting to the Ray cluster at {address}"
    return _OPENING.get(name, f"opening the executor {name}")


def execute(
    tasks: Sequence[Task],
    names: dict[str, str],
    store: Store,
    opened: AbstractContextManager[Executor],
    *,
    fail_fast: bool = False,
    monitor: RunMonitor | None = None,
) -> list[Failure]:
    """Run all tasks, or all until the first failure; return the failures.

    Args:
        tasks: The tasks to run; an evaluation waits for its training if that is among them.
        names: The name of each task on the terminal, by its key.
        store: Where records are written.
        opened: The executor.
        fail_fast: Whether the first failure ends the run.
        monitor: Reports events and has the state of the run; None makes one.

    Raises:
        KeyboardInterrupt: A signal has arrived, even if native code has dropped its exception.
        BenchError: A task is too large for the executor.
    """
    failures = []
    with (
        nullcontext(monitor) if monitor else RunMonitor(store) as run_monitor,
        # Released last: until the executor is closed, a task may still write.
        Leases(store.root) as leases,
    ):
        run_monitor.plan(tasks, names)
        with opened as executor:
            schedule = Schedule.from_tasks(tasks, executor, store, leases, run_monitor.watch)
            try:
                for task, event in schedule.events():
                    run_monitor.observe(task, event)
                    if isinstance(event, Failed):
                        failures.append(event.failure)
                        if fail_fast:
                            break
            finally:
                executor.close()
    return failures
