"""A real Ray cluster on this machine."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import replace

import pytest
import ray
import torch
from processes import gone
from running import assert_same_bytes, task_events

from bench.core.errors import BenchError
from bench.data.datasets.seq_digits import SeqDigits
from bench.execution.ray import connect, with_workers
from bench.execution.schedule import execute, open_executor
from bench.trials.events import Finished, Progress, Resumed, Started
from bench.trials.records import Attempt
from bench.trials.store import CHECKPOINT, LOG, Store

pytestmark = pytest.mark.xdist_group("ray")


@pytest.fixture(scope="module")
def cluster(faulty):
    """Start the executor once for all tests here."""
    with connect() as executor:
        yield executor


@pytest.fixture
def training(evaluations):
    return evaluations[0].training


def run(executor, tasks, store):
    return [(task.key, event) for task, event in task_events(tasks, executor, store)]


def last_of(events, task):
    return [event for key, event in events if key == task.key][-1]


def on(task, data):
    return replace(task, data=(data,))


def with_resources(task, **changes):
    return task.with_resources(replace(task.resources, **changes))


def inline(tasks, root):
    store = Store(root)
    names = {task.key: task.key for task in tasks}
    assert execute(tasks, names, store, open_executor("inline")) == []
    return store


def test_ray_gives_the_bytes_of_the_inline_executor(cluster, evaluations, store, tmp_path):
    first, second = evaluations[:2]
    longer = replace(first, test=SeqDigits(digits=3, rounds=1))
    tasks = [first.training, second.training, first, second, longer]
    expected = inline(tasks, tmp_path / "inline")
    events = run(cluster, tasks, store)
    assert any(isinstance(event, Progress) for _, event in events)
    for task in tasks:
        assert isinstance(last_of(events, task), Finished)
        assert_same_bytes(task, store, expected)


def test_a_fault_before_a_task_begins_is_an_error_of_that_task(cluster, training, store):
    (store.folder(training) / LOG).mkdir(parents=True)
    failure = last_of(run(cluster, [training], store), training).failure
    assert failure.cause == "error"
    assert failure.message.startswith("log.txt: Is a directory; a file should be there")


def test_a_fault_of_one_task_fails_that_task_alone(
    cluster, evaluations, training, store, faulty, tmp_path
):
    pid_file = tmp_path / "pid"
    hanging = with_resources(on(training, faulty.Slow(digits=2)), time_limit=2.0)
    raising = on(training, faulty.Raises(digits=2))
    exiting = on(training, faulty.Exits(digits=2))
    killed = on(training, faulty.Slow(digits=2, pid_file=str(pid_file)))
    wrong = [hanging, raising, exiting, killed]
    waiting = [replace(evaluations[0], training=each) for each in wrong]
    right = [training, evaluations[0]]
    events = []
    for task, event in task_events([*wrong, *waiting, *right], cluster, store):
        events.append((task.key, event))
        if task.key == killed.key and isinstance(event, Started):
            while not (pid_file.exists() and pid_file.read_text()):
                time.sleep(0.05)
            os.kill(int(pid_file.read_text()), signal.SIGKILL)
    assert all(isinstance(last_of(events, task), Finished) for task in right)
    failures = [last_of(events, task).failure for task in wrong]
    causes = ["timeout", "error", "lost worker", "lost worker"]
    assert [[attempt.cause for attempt in failure.attempts] for failure in failures] == [
        [cause] for cause in causes
    ]
    assert "time limit of 2 s" in failures[0].message
    assert failures[1].message == "RuntimeError: the disk is on fire"
    for task, failure in zip(wrong, failures, strict=True):
        assert store.failure(task) == failure
        assert store.record(task) is None
    assert not any(store.record(task) or store.failure(task) for task in waiting)


def test_a_killed_training_resumes_to_the_same_bits(cluster, training, store, faulty, tmp_path):
    file = tmp_path / "killed"
    killed = on(training, faulty.Killed(digits=2, rounds=1, file=str(file)))
    killed = with_resources(killed, checkpoint_every="0 seconds")
    killed = replace(killed, recipe=replace(killed.recipe, epochs=4, schedule="one-cycle"))
    failure = last_of(run(cluster, [killed], store), killed).failure
    assert failure.cause == "lost worker"
    assert (store.folder(killed) / CHECKPOINT).exists()
    events = [event for _, event in run(cluster, [killed], store)]
    assert [event.step % 2 for event in events if isinstance(event, Resumed)]
    # The file exists now: nothing is wrong with the data any more.
    assert_same_bytes(killed, store, inline([killed], tmp_path / "inline"))


def test_what_a_task_leaves_behind_the_next_one_does_not_find(
    cluster, evaluations, store, faulty, tmp_path
):
    task = evaluations[0]
    spoiling = on(task.training, faulty.Spoils(digits=2))
    for _ in range(2):
        failure = last_of(run(cluster, [spoiling], store), spoiling).failure
        assert failure.message == "RuntimeError: all is spoiled"
    assert isinstance(last_of(run(cluster, [task.training, task], store), task), Finished)
    expected = inline([task.training, task], tmp_path / "inline")
    for each in (task.training, task):
        assert_same_bytes(each, store, expected)


def test_a_task_that_reserves_no_gpu_sees_none(cluster, training, store, faulty, tmp_path):
    sees = on(training, faulty.Sees(digits=2, file=str(tmp_path / "seen")))
    assert last_of(run(cluster, [sees], store), sees).failure.cause == "configuration"
    assert (tmp_path / "seen").read_text().endswith(" ''\n")


def test_a_worker_and_its_server_are_kept_for_the_next_task(
    cluster, training, store, faulty, tmp_path
):
    sees = on(training, faulty.Sees(digits=2, file=str(tmp_path / "seen")))
    runs = 6
    for seed in range(runs):
        run(cluster, [replace(sees, seed=seed)], store)
    servers = [line.split()[1] for line in (tmp_path / "seen").read_text().splitlines()]
    assert len(servers) == runs
    assert len({*servers}) <= ray.cluster_resources()["CPU"]


def on_two_devices(training, **changes):
    return with_resources(training, devices=2, **changes)


def placement_groups():
    return [table["state"] for table in ray.util.placement_group_table().values()]


@pytest.mark.skipif(os.cpu_count() < 2, reason="two devices are two cores here")
@pytest.mark.slow
def test_two_devices_give_the_bytes_of_the_inline_executor(cluster, training, store, tmp_path):
    double = on_two_devices(training)
    assert isinstance(last_of(run(cluster, [double], store), double), Finished)
    assert_same_bytes(double, store, inline([double], tmp_path / "inline"))
    assert {*placement_groups()} == {"REMOVED"}


@pytest.mark.skipif(os.cpu_count() < 2, reason="two devices are two cores here")
@pytest.mark.slow
def test_cancelling_a_training_on_two_devices_leaves_nothing(
    cluster, training, store, faulty, tmp_path
):
    pid_file = tmp_path / "pid"
    data = faulty.Slow(digits=2, pid_file=str(pid_file))
    slow = on_two_devices(on(training, data))
    cluster.submit(slow, store, [])
    while not (pid_file.exists() and pid_file.read_text()):
        assert not any(isinstance(report, Attempt) for _, report in cluster.poll())
    cluster.cancel(slow)
    assert cluster.poll() == []
    assert gone(int(pid_file.read_text()))
    assert {*placement_groups()} == {"REMOVED"}


@pytest.mark.slow
def test_closing_ends_what_runs(cluster, training, store, faulty, tmp_path):
    pid_file = tmp_path / "pid"
    slow = on(training, faulty.Slow(digits=2, pid_file=str(pid_file)))
    for _, event in task_events([slow], cluster, store):
        if isinstance(event, Started):
            break
    cluster.close()
    assert cluster.poll() == []
    before = time.monotonic()
    wide = with_resources(training, cpus=min(2, os.cpu_count()))
    assert isinstance(last_of(run(cluster, [wide], store), wide), Finished)
    assert time.monotonic() - before < 50, "the cancelled task kept its CPU"
    assert store.record(slow) is None


@pytest.mark.parametrize("kind", ["cpus", "workers"])
def test_a_task_larger_than_every_node_is_refused(cluster, training, store, kind):
    huge = with_resources(training, **{kind: 4096})
    with pytest.raises(BenchError, match="no node of the Ray cluster has as much"):
        run(cluster, [huge], store)


def test_capacity_is_how_many_tasks_the_nodes_hold(cluster, training):
    cpus = int(ray.cluster_resources()["CPU"])
    assert cluster.capacity(training) == cpus
    assert cluster.capacity(with_resources(training, cpus=cpus)) == 1
    assert cluster.capacity(with_resources(training, workers=1)) == max(1, cpus // 2)
    assert cluster.capacity(with_resources(training, cpus=4096)) == 1


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_a_gpu_is_not_requested_where_there_is_none(cluster, training, store):
    training = with_resources(training, gpus=0.5)
    assert isinstance(last_of(run(cluster, [training], store), training), Finished)
    assert store.record(training).provenance.device == "cpu"


def test_automatic_workers_take_the_cores_that_a_share_of_a_gpu_leaves(cluster, training):
    auto = replace(training.resources, cpus=2, gpus=0.5, workers="auto")
    nodes = [{"CPU": 64.0, "GPU": 8.0}, {"CPU": 24.0, "GPU": 2.0}, {"CPU": 4.0}]
    assert with_workers(auto, nodes).workers == 2
    assert with_workers(auto, nodes[1:]).workers == 4
    assert with_workers(replace(auto, gpus=1.0), nodes[1:]).workers == 10
    assert with_workers(auto, nodes[2:]).workers == 0
    assert with_workers(replace(auto, device="cpu"), nodes).workers == 0
    assert with_workers(replace(auto, workers=1), nodes).workers == 1
    assert cluster.capacity(with_resources(training, workers="auto")) == cluster.capacity(training)


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_what_automatic_workers_came_to_is_recorded(cluster, training, store):
    training = with_resources(training, gpus=0.5, workers="auto")
    assert isinstance(last_of(run(cluster, [training], store), training), Finished)
    assert store.record(training).provenance.workers == 0


def test_no_dashboard_is_served(cluster):
    assert not ray._private.worker.get_dashboard_url()
