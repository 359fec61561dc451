"""Tasks in this process."""

from __future__ import annotations

from dataclasses import replace

import pytest
from running import assert_same_bytes

from bench.data.datasets.seq_digits import SeqDigits
from bench.execution.inline import InlineExecutor
from bench.execution.schedule import Schedule, execute, open_executor
from bench.trials import grid, plan
from bench.trials.events import Failed, Finished, Retried, Started
from bench.trials.store import LOG, PREDICTIONS, Store


def diverging(evaluation):
    recipe = replace(evaluation.training.recipe, learning_rate=1e30, optimizer="sgd", epochs=9)
    return replace(evaluation, training=replace(evaluation.training, recipe=recipe))


def run(tasks, store, **more):
    names = {task.key: task.key for task in tasks}
    return execute(tasks, names, store, open_executor("inline"), **more)


def test_a_failed_training_stops_no_other_and_leaves_its_evaluation_to_do(evaluations, store):
    wrong, right = diverging(evaluations[0]), evaluations[1]
    failures = run([wrong.training, right.training, wrong, right], store)
    assert [failure.key for failure in failures] == [wrong.training.key]
    assert store.record(wrong) is None
    assert store.failure(wrong) is None
    assert store.record(right)


def test_fail_fast_stops_at_the_first_failure(evaluations, store):
    tasks = [diverging(evaluations[0]).training, evaluations[1].training]
    assert len(run(tasks, store, fail_fast=True)) == 1
    assert not any(store.record(task) for task in tasks)


def test_an_evaluation_ends_before_the_last_training_starts(trials, store):
    events = list(Schedule.of(grid.tasks(trials), InlineExecutor(), store).events())
    started = [n for n, (t, e) in enumerate(events) if t.kind == "training" and type(e) is Started]
    ended = [n for n, (t, e) in enumerate(events) if t.kind == "evaluation" and type(e) is Finished]
    assert len(started) == len(ended) == 4
    assert ended[0] < started[-1]


def test_one_more_test_set_costs_its_evaluation_only(trials, store):
    (trial, *_) = trials
    run(grid.tasks([trial]), store)
    (first,) = trial.evaluations.values()
    longer = replace(first, test=SeqDigits(digits=3, rounds=1))
    wider = replace(trial, evaluations=trial.evaluations | {"longer": longer})
    missing = plan.survey([wider], store).missing()
    assert missing == [longer]
    kept = (store.folder(first) / PREDICTIONS).stat().st_mtime_ns
    assert run(missing, store) == []
    assert plan.survey([wider], store).missing() == []
    assert (store.folder(first) / PREDICTIONS).stat().st_mtime_ns == kept
    assert len(store.records("training")) == 1


@pytest.mark.parametrize("always", [False, True])
def test_out_of_memory_is_tried_once_more(evaluations, store, faulty, tmp_path, always):
    file = "" if always else str(tmp_path / "memory")
    data = faulty.OutOfMemory(digits=2, rounds=1, file=file)
    training = replace(evaluations[0].training, data=(data,))
    events = [e for _, e in Schedule.of([training], InlineExecutor(), store).events()]
    assert sum(isinstance(event, Retried) for event in events) == 1
    assert isinstance(events[-1], Failed if always else Finished)
    ended = store.failure(training) if always else store.record(training)
    causes = [attempt.cause for attempt in ended.attempts]
    assert causes == ["out of memory"] * (2 if always else 1)


def test_a_fault_before_a_task_begins_fails_that_task_alone(evaluations, store):
    broken, other = (evaluation.training for evaluation in evaluations[:2])
    (store.folder(broken) / LOG).mkdir(parents=True)
    (failure,) = run([broken, other], store)
    assert (failure.key, failure.cause) == (broken.key, "error")
    assert failure.message.startswith(("IsADirectoryError: ", "PermissionError: "))
    assert store.record(other)


def test_closing_ends_what_runs_and_forgets_what_waits(evaluations, store):
    executor, trainings = InlineExecutor(), [e.training for e in evaluations[:2]]
    for training in trainings:
        executor.submit(training, store, [])
    ((task, event),) = executor.poll()
    assert task == trainings[0]
    assert isinstance(event, Started)
    executor.close()
    assert executor.poll() == []
    assert not any(store.record(training) for training in trainings)
    assert not any(store.failure(training) for training in trainings)


def test_a_cancelled_task_is_never_heard_of_again(evaluations, store):
    executor, trainings = InlineExecutor(), [e.training for e in evaluations[:2]]
    for training in trainings:
        executor.submit(training, store, [])
    executor.poll()
    executor.cancel(trainings[0])
    assert executor.poll()[0][0] == trainings[1]
    executor.close()


def test_whatever_ran_before_in_an_executor_changes_no_bit(trials, store, tmp_path):
    alone = Store(tmp_path / "alone")
    tasks = grid.tasks(trials[1:2])
    run(tasks, alone)
    run([*grid.tasks(trials[2:]), *tasks], store)
    for task in tasks:
        assert_same_bytes(task, store, alone)
