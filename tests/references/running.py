"""Tasks run to their end in this process."""

from __future__ import annotations

from dataclasses import asdict

from bench.execution.schedule import Schedule
from bench.tasks.task import run_task
from bench.trials.events import Failed, Finished
from bench.trials.leases import Leases

_MOVING = ("timings", "seconds", "provenance", "attempts")


def finish(task, store):
    """Run a task, and before an evaluation its training if that is missing; return its record."""
    if task.kind == "evaluation" and not store.record(task.training):
        finish(task.training, store)
    *_, last = run_task(task, store)
    assert isinstance(last, Finished), last
    return store.record(task)


def fail(task, store):
    """Run a task that fails; return its failure."""
    *_, last = run_task(task, store)
    assert isinstance(last, Failed), last
    assert store.failure(task) == last.failure
    return last.failure


def numbers(record):
    """Return what of a record is the same whenever the task is run on one machine."""
    return {name: value for name, value in asdict(record).items() if name not in _MOVING}


def assert_same_bytes(task, one, other):
    """Assert that two stores hold the same record and the same files of a task."""
    records = [store.record(task) for store in (one, other)]
    assert numbers(records[0]) == numbers(records[1])
    assert records[0].files
    for name in records[0].files:
        first, second = ((store.folder(task) / name).read_bytes() for store in (one, other))
        assert first == second, name


def task_events(tasks, executor, store):
    """Yield the events of tasks as an executor runs them."""
    with Leases(store.root) as leases:
        yield from Schedule.from_tasks(tasks, executor, store, leases).events()
