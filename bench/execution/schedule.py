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
"""A task with its next event, or with how this attempt at it failed."""
_IDLE_SECONDS = 0.5
_LEASE_SECONDS = 2.0
"""The interval at which a task of another process is checked."""


class Executor(Protocol):
    """Where tasks run. Order, dependencies, retries and time limits are not its concern."""

    def check(self, task: Task) -> None:
        """Raise BenchError where no machine is large enough for `task`."""
        ...

    def capacity(self, task: Task) -> int:
        """Return how many tasks like `task` can run at once."""
        ...

    def submit(self, task: Task, store: Store, attempts: Sequence[Attempt]) -> None:
        """Start a task, or queue it."""
        ...

    def poll(self) -> list[Report]:
        """Wait a moment for events; an attempt that failed is its last report."""
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
        before: What the store says of it when the run begins, see `Store.written`.
        attempts: Attempts of this run that failed before.
        started: When this attempt started.
        elsewhere: Whether another process works on it.
    """

    task: Task
    before: tuple[int | None, int | None]
    attempts: list[Attempt] = field(default_factory=list)
    started: float | None = None
    elsewhere: bool = False


@dataclass
class Schedule:
    """The state of a run: what waits for its training, what is due, what runs.

    An evaluation is due as soon as its training is done, and goes before trainings that have not
    started: boards fill row by row. A task that another process works on is waited for.

    Attributes:
        executor: Where tasks run.
        store: Where records are.
        leases: Which tasks are this process's.
        watch: Called about twice a second; returns the keys of the tasks to cancel.
        due: What can be submitted, each from a moment on.
        waiting: Evaluations by the key of their training.
        running: What the executor has.
        slots: How many tasks run at once, as far as the executor was asked.
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
        """Return the schedule of `tasks`. Raises BenchError where one is too large to ever run."""
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
        """Submit due tasks, evaluations first, as far as the executor has free slots.

        Yields events of tasks that other processes have taken.
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
        """Take a task out of the schedule, whatever it waits for; end it where it runs."""
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
        """Take the lease of a task; return what to tell of a process that has or had it."""
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
        """Give up a task that has ended; its evaluations are due if it is done, else stay to do."""
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
        """Update the schedule by a report; yield the event to show."""
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
        """End attempts that exceed their time limit."""
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
    """Return what opening the executor `name` is called as a phase; empty where that is quick."""
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
        tasks: What to run; an evaluation waits for its training if that is among them.
        names: What each task is called on the terminal, by its key.
        store: Where records go.
        opened: The executor.
        fail_fast: Whether the first failure ends the run.
        monitor: Where events are shown and the state is kept; None: one of this call.

    Raises:
        KeyboardInterrupt: A signal has come, even if native code has lost its exception.
        BenchError: A task is too large for the executor.
    """
    failures = []
    with (
        nullcontext(monitor) if monitor else RunMonitor(store) as run_monitor,
        # Given up last: until the executor is closed, a task may still write.
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
