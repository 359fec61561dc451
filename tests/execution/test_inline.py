"""Tasks one after the other, in processes of their own and in this one."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace

import pytest
from processes import gone
from running import assert_same_bytes, task_events

from bench.data.datasets.seq_digits import SeqDigits
from bench.execution.in_process import InProcessExecutor
from bench.execution.inline import InlineExecutor
from bench.execution.schedule import execute, open_executor
from bench.trials import grid, plan
from bench.trials.events import Failed, Finished, Retried, Started
from bench.trials.store import LOG, PREDICTIONS, Store


def diverging(evaluation):
    recipe = replace(evaluation.training.recipe, learning_rate=1e30, optimizer="sgd", epochs=9)
    return replace(evaluation, training=replace(evaluation.training, recipe=recipe))


EXECUTORS = pytest.mark.parametrize("executor", [InlineExecutor, InProcessExecutor])


def run(tasks, store, executor="inline", **more):
    names = {task.key: task.key for task in tasks}
    return execute(tasks, names, store, open_executor(executor), **more)


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
    events = list(task_events(grid.tasks(trials), InlineExecutor(), store))
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
    missing = plan.make_plan([wider], store).missing()
    assert missing == [longer]
    kept = (store.folder(first) / PREDICTIONS).stat().st_mtime_ns
    assert run(missing, store) == []
    assert plan.make_plan([wider], store).missing() == []
    assert (store.folder(first) / PREDICTIONS).stat().st_mtime_ns == kept
    assert len(store.records("training")) == 1


@pytest.mark.parametrize("always", [False, True])
def test_out_of_memory_is_tried_once_more(evaluations, store, faulty, tmp_path, always):
    file = "" if always else str(tmp_path / "memory")
    data = faulty.OutOfMemory(digits=2, rounds=1, file=file)
    training = replace(evaluations[0].training, data=(data,))
    events = [e for _, e in task_events([training], InlineExecutor(), store)]
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
    assert "Is a directory" in failure.message or "not permitted" in failure.message
    assert store.record(other)


def poll(executor):
    """Wait for the next report."""
    while not (reports := executor.poll()):
        pass
    (report,) = reports
    return report


@EXECUTORS
def test_closing_ends_what_runs_and_forgets_what_waits(evaluations, store, executor):
    executor, trainings = executor(), [e.training for e in evaluations[:2]]
    for training in trainings:
        executor.submit(training, store, [])
    task, event = poll(executor)
    assert task == trainings[0]
    assert isinstance(event, Started)
    executor.close()
    assert executor.poll() == []
    assert not any(store.record(training) for training in trainings)
    assert not any(store.failure(training) for training in trainings)


@EXECUTORS
def test_a_cancelled_task_sends_no_more_events(evaluations, store, executor):
    executor, trainings = executor(), [e.training for e in evaluations[:3]]
    for training in trainings:
        executor.submit(training, store, [])
    poll(executor)
    executor.cancel(trainings[0])
    executor.cancel(trainings[2])
    assert poll(executor)[0] == trainings[1]
    executor.close()
    assert executor.poll() == []


def test_whatever_ran_before_in_an_executor_changes_no_bit(trials, store, tmp_path, faulty):
    alone = Store(tmp_path / "alone")
    tasks = grid.tasks(trials[1:2])
    assert run(tasks, alone, "in-process") == []
    spoiling = replace(tasks[0], data=(faulty.Spoils(digits=2),))
    (failure,) = run([spoiling, *grid.tasks(trials[2:]), *tasks], store)
    assert failure.message == "RuntimeError: all is spoiled"
    for task in tasks:
        assert_same_bytes(task, store, alone)


ELSEWHERE = """\
import os
import select

for module, names in {
    os: ("pidfd_open", "memfd_create", "eventfd", "sched_getaffinity", "posix_fadvise", "waitid"),
    select: ("epoll",),
}.items():
    for name in names:
        if hasattr(module, name):
            delattr(module, name)
"""
"""What a process imports at its start here, to be without what macOS does not have."""


@pytest.mark.slow
def test_tasks_run_to_the_same_bits_without_what_only_linux_has(trials, store, tmp_path):
    (tmp_path / "sitecustomize.py").write_text(ELSEWHERE)
    (training, evaluation) = grid.tasks(trials[:1])
    training = training.with_resources(replace(training.resources, workers=1))
    program = (
        "import os, pickle, sys\n"
        "from bench.execution.schedule import execute, open_executor\n"
        "assert not hasattr(os, 'pidfd_open')\n"
        "tasks, store = pickle.loads(bytes.fromhex(sys.argv[1]))\n"
        "names = {task.key: task.key for task in tasks}\n"
        "assert execute(tasks, names, store, open_executor('inline')) == []\n"
    )
    path = os.pathsep.join([str(tmp_path), *sys.path])
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    subprocess.run(
        [sys.executable, "-c", program, pickle.dumps(([training, evaluation], store)).hex()],
        env=os.environ | {"PYTHONPATH": path, "TMPDIR": str(temporary)},
        check=True,
    )
    assert [*temporary.glob("pymp-*")] == [], "the server of prefetching processes left its socket"
    alone = Store(tmp_path / "alone")
    assert run([training, evaluation], alone, "in-process") == []
    for task in (training, evaluation):
        assert_same_bytes(task, store, alone)


def test_a_task_that_hangs_or_ends_its_process_fails_alone(evaluations, store, faulty, tmp_path):
    file = tmp_path / "read"
    training = evaluations[0].training
    hanging = replace(training, data=(faulty.Hangs(digits=2, file=str(file), at_epoch=1),))
    resources = replace(hanging.resources, time_limit=2.0, workers=1)
    hanging = hanging.with_resources(resources)
    exiting = replace(training, data=(faulty.Exits(digits=2),))
    failures = run([hanging, exiting, training], store)
    assert [failure.cause for failure in failures] == ["timeout", "lost worker"]
    assert "code 7" in failures[1].message
    assert store.record(training)
    assert gone(file.read_text().strip()), "the process that read for it has not ended with it"


def test_in_this_process_a_task_that_reserves_no_gpu_computes_on_the_cpu(evaluations, store):
    assert run([evaluations[0].training], store, "in-process") == []
    assert store.record(evaluations[0].training).provenance.device == "cpu"


@pytest.mark.usefixtures("caught_signals")
def test_a_signal_to_all_processes_of_a_job_is_an_interrupt(evaluations, store, faulty, tmp_path):
    file = tmp_path / "pid"
    data = faulty.Slow(digits=2, rounds=1, pid_file=str(file))
    training = replace(evaluations[0].training, data=(data,))

    def end_all():
        os.kill(int(file.read_text()), signal.SIGTERM)
        # A batch system goes through a list: this process may be its last.
        time.sleep(0.2)
        os.kill(os.getpid(), signal.SIGTERM)

    def events():
        for _, event in task_events([training], InlineExecutor(), store):
            if isinstance(event, Started):
                threading.Timer(0.3, end_all).start()

    with pytest.raises(KeyboardInterrupt):
        events()
    assert store.failure(training) is None
