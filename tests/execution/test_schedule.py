"""Order, dependencies, retries and time limits of tasks, on an executor without processes."""

from __future__ import annotations

import importlib.metadata
import os
import signal
from contextlib import nullcontext, suppress
from dataclasses import replace
from importlib.metadata import EntryPoint

import pytest
from running import task_events
from scripted_executor import ScriptedExecutor, names_of

from bench.core.errors import BenchError
from bench.execution import retries, schedule
from bench.execution.schedule import EXECUTORS, Schedule, execute, open_executor
from bench.tasks.task import fail, failed_attempt
from bench.trials import grid
from bench.trials.events import (
    Failed,
    Finished,
    FinishedElsewhere,
    HeldElsewhere,
    NotRun,
    Retried,
    Started,
)
from bench.trials.leases import Leases
from bench.trials.store import FAILURE


@pytest.fixture
def tasks(trials):
    """Return four trainings, then their evaluations."""
    return grid.tasks(trials)


@pytest.fixture
def run(store, monkeypatch):
    """Return a function that runs tasks on an executor and returns their events."""
    monkeypatch.setattr(retries, "NOTICE_SECONDS", 0.0)

    def run(tasks, executor):
        return list(task_events(tasks, executor, store))

    return run


def last_of(events, task):
    return [event for each, event in events if each.key == task.key][-1]


def moments(executor, kind, what):
    return [
        number
        for number, (happened, task) in enumerate(executor.log)
        if (happened, task.kind) == (what, kind)
    ]


@pytest.mark.parametrize("slots", [1, 2, 3])
def test_evaluations_do_not_wait_for_all_trainings(tasks, run, slots):
    executor = ScriptedExecutor(slots)
    events = run(tasks, executor)
    assert {task.key for task, event in events if isinstance(event, Finished)} == {
        task.key for task in tasks
    }
    ended = {}
    for number, (what, task) in enumerate(executor.log):
        if what == "end":
            ended[task.key] = number
        elif task.kind == "evaluation":
            assert task.training.key in ended, "an evaluation started before its training ended"
    if slots == 1:
        first_evaluation = moments(executor, "evaluation", "end")[0]
        assert first_evaluation < moments(executor, "training", "start")[-1]


def test_no_more_is_submitted_than_runs_and_one_task_ahead(tasks, store):
    executor = ScriptedExecutor(slots=2)
    for _ in task_events(tasks, executor, store):
        assert len(executor.queue) + len(executor.running) <= 3


@pytest.mark.parametrize("cause", ["error", "configuration", "timeout", "lost worker"])
def test_the_evaluations_of_a_failed_training_stay_to_do(tasks, run, store, cause):
    failing = tasks[0]
    events = run(tasks, ScriptedExecutor(causes={failing.key: [cause]}))
    assert isinstance(last_of(events, failing), Failed)
    assert store.failure(failing).cause == cause
    waiting = [task for task in tasks[4:] if task.training.key == failing.key]
    assert waiting
    for task in waiting:
        assert last_of(events, task) == NotRun("failed")
        assert store.failure(task) is None
    others = [task for task in tasks[1:] if task not in waiting]
    assert all(isinstance(last_of(events, task), Finished) for task in others)


def test_the_evaluations_of_a_retried_training_wait_for_it(tasks, run):
    training = tasks[0]
    executor = ScriptedExecutor(causes={training.key: ["lost node", "lost node"]})
    events = run(tasks, executor)
    shown = [event for task, event in events if task.key == training.key]
    assert [type(event) for event in shown] == [Started, Retried] * 2 + [Started, Finished]
    assert all(isinstance(last_of(events, task), Finished) for task in tasks)
    causes = [causes for task, causes in executor.attempts if task.key == training.key]
    assert causes == [[], ["lost node"], ["lost node"] * 2]


def test_a_third_lost_node_fails_the_task_with_all_its_attempts(tasks, run, store):
    run(tasks[:1], ScriptedExecutor(causes={tasks[0].key: ["lost node"] * 3}))
    assert [attempt.cause for attempt in store.failure(tasks[0]).attempts] == ["lost node"] * 3


def test_out_of_memory_is_tried_again_on_a_whole_device(tasks, run):
    share = tasks[0].with_resources(replace(tasks[0].resources, gpus=0.25))
    executor = ScriptedExecutor(causes={share.key: ["out of memory"]})
    events = run([share], executor)
    assert isinstance(events[-1][1], Finished)
    assert [task.resources.gpus for task, _ in executor.attempts] == [0.25, 1.0]


def test_a_task_over_its_time_limit_is_ended(tasks, run, store):
    limited = tasks[0].with_resources(replace(tasks[0].resources, time_limit=0.05))
    executor = ScriptedExecutor(hanging=[limited.key])
    events = run([limited, *tasks[1:]], executor)
    failure = last_of(events, limited).failure
    assert failure.cause == "timeout"
    assert "time limit of 0.05 s" in failure.message
    assert isinstance(last_of(events, tasks[1]), Finished)
    assert not executor.running


def test_evaluations_whose_training_is_done_are_due_at_once(tasks, run):
    executor = ScriptedExecutor()
    run(tasks[4:], executor)
    assert [task for what, task in executor.log if what == "start"] == tasks[4:]


def test_a_task_that_is_too_large_is_refused_before_any_runs(tasks, store):
    huge = tasks[0].with_resources(replace(tasks[0].resources, cpus=100))
    executor = ScriptedExecutor()
    with pytest.raises(BenchError, match="lower cpus"):
        execute([*tasks[1:], huge], names_of([*tasks, huge]), store, nullcontext(executor))
    assert executor.log == []


def test_fail_fast_ends_a_run_at_its_first_failure(tasks, store):
    executor = ScriptedExecutor(causes={tasks[0].key: ["error"]})
    failures = execute(tasks, names_of(tasks), store, nullcontext(executor), fail_fast=True)
    assert [failure.key for failure in failures] == [tasks[0].key]
    assert executor.closed
    assert len(moments(executor, "training", "end")) == 1


def test_an_executor_of_another_package_is_an_entry_point(tasks, store, monkeypatch):
    executor, addresses = ScriptedExecutor(), []

    class Point:
        def load(self):
            return lambda address: addresses.append(address) or nullcontext(executor)

    def entry_points(*, group, name):
        return [Point()] if (group, name) == ("bench.executor", "scripted") else []

    monkeypatch.setattr(importlib.metadata, "entry_points", entry_points)
    opened = open_executor("scripted", "somewhere:1")
    assert addresses == ["somewhere:1"]
    assert execute(tasks, names_of(tasks), store, opened) == []
    with pytest.raises(BenchError, match="there is no executor 'inlin'; did you mean 'inline'"):
        open_executor("inlin")
    assert [*EXECUTORS] == ["ray", "inline", "in-process"]


def test_an_executor_that_cannot_be_imported_is_named(monkeypatch):
    point = EntryPoint("other", "no.such.module:open", "bench.executor")
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda **_: [point])
    with pytest.raises(BenchError, match=r"'other' of group bench\.executor cannot be imported"):
        open_executor("other")


@pytest.fixture
def elsewhere(store):
    """Return the leases of another process that shares the folder of records."""
    with Leases(store.root) as leases:
        yield leases


@pytest.fixture
def quick_looks(monkeypatch):
    monkeypatch.setattr(schedule, "_LEASE_SECONDS", 0.0)
    monkeypatch.setattr(schedule, "_IDLE_SECONDS", 0.01)


def during_wait(task, executor, store, act):
    """Run a task that is held elsewhere; `act` when the run has noticed; return its events."""
    events = []
    for _, event in task_events([task], executor, store):
        events.append(event)
        if isinstance(event, HeldElsewhere):
            act()
    return events


@pytest.mark.usefixtures("quick_looks")
def test_what_another_process_finishes_is_not_run_again(tasks, store, elsewhere, leave):
    task, executor = tasks[0], ScriptedExecutor()

    def finish_elsewhere():
        leave(task)
        elsewhere.release(task.key)

    assert elsewhere.take(task.key) is None
    events = during_wait(task, executor, store, finish_elsewhere)
    assert [type(event) for event in events] == [HeldElsewhere, FinishedElsewhere]
    assert f"process {os.getpid()} on " in events[0].holder
    assert executor.log == []


@pytest.mark.usefixtures("quick_looks")
def test_what_failed_elsewhere_is_not_tried_again(tasks, store, elsewhere):
    task, executor = tasks[0], ScriptedExecutor()

    def fail_elsewhere():
        fail(task, store, [failed_attempt("error", "as it is")])
        elsewhere.release(task.key)

    assert elsewhere.take(task.key) is None
    *_, last = during_wait(task, executor, store, fail_elsewhere)
    assert last == Failed(store.failure(task))
    assert executor.log == []


@pytest.mark.usefixtures("quick_looks")
def test_what_another_process_leaves_is_taken_over(tasks, store, elsewhere):
    # It has failed before, which says nothing of this run.
    task = tasks[0]
    fail(task, store, [failed_attempt("error", "long ago")])
    assert elsewhere.take(task.key) is None
    events = during_wait(task, ScriptedExecutor(), store, lambda: elsewhere.release(task.key))
    assert [type(event) for event in events] == [HeldElsewhere, Started, Finished]


def test_a_failure_that_is_a_link_to_itself_holds_up_no_plan(tasks, run, store):
    (store.begin(tasks[0]) / FAILURE).symlink_to(FAILURE)
    assert isinstance(run(tasks[:1], ScriptedExecutor())[-1][1], Finished)


def test_a_record_written_since_the_plan_was_made_is_not_made_again(tasks, store, leave):
    executor = ScriptedExecutor()
    with Leases(store.root) as leases:
        planned = Schedule.from_tasks([tasks[0]], executor, store, leases)
        leave(tasks[0])
        assert [event for _, event in planned.events()] == [FinishedElsewhere()]


def test_the_evaluations_of_a_training_done_elsewhere_are_run(tasks, run, store, leave):
    executor = ScriptedExecutor()
    with Leases(store.root) as leases:
        planned = Schedule.from_tasks(tasks, executor, store, leases)
        leave(tasks[0])
        list(planned.events())
    assert tasks[0] not in [task for _, task in executor.log]
    assert {task.key for what, task in executor.log if what == "end"} == {
        task.key for task in tasks[1:]
    }


@pytest.mark.usefixtures("caught_signals")
def test_an_interrupted_run_gives_up_its_leases_once_its_executor_is_closed(
    tasks, store, elsewhere
):
    class InterruptedExecutor(ScriptedExecutor):
        holders = ()

        def poll(self):
            # As native code loses the exception.
            with suppress(KeyboardInterrupt):
                os.kill(os.getpid(), signal.SIGTERM)
            return []

        def close(self):
            self.holders = [elsewhere.take(task.key) for task in self.queue]

    executor = InterruptedExecutor()
    with pytest.raises(KeyboardInterrupt):
        execute(tasks, names_of(tasks), store, nullcontext(executor))
    assert executor.holders
    assert all(executor.holders)
    assert not any(elsewhere.take(task.key) for task in executor.queue)
