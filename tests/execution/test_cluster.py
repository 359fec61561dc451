"""Two nodes on this machine, one of them with GPUs that are declared but do not exist."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ray.cluster_utils import Cluster
from running import task_events

from bench.execution import retries
from bench.execution.ray import connect
from bench.trials.events import Finished, Retried, Started

pytestmark = pytest.mark.xdist_group("ray")


@pytest.fixture(scope="module")
def cluster(faulty):
    """Start a head that takes no task of this module: each reserves a GPU."""
    # By default it takes Ray a third of a minute to see that a node is gone.
    checks = {"health_check_period_ms": 500, "health_check_failure_threshold": 3}
    head = {"num_cpus": 1, "include_dashboard": False, "_system_config": checks}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    yield cluster
    cluster.shutdown()


@pytest.fixture(scope="module")
def executor(cluster):
    with connect(cluster.address) as executor:
        yield executor


@pytest.fixture
def add_node(cluster, executor):
    """Return a function that adds a node with two CPUs and a GPU, and remove it in the end."""
    nodes = []

    def add():
        nodes.append(cluster.add_node(num_cpus=2, num_gpus=1))
        return nodes[-1]

    yield add
    for node in nodes:
        if node in cluster.worker_nodes:
            cluster.remove_node(node)


def on(training, data, **resources):
    training = replace(training, data=(data,))
    return training.with_resources(replace(training.resources, **resources))


@pytest.mark.slow  # Ray takes its time to miss a node.
def test_a_task_of_a_lost_node_is_run_elsewhere(
    cluster, executor, add_node, evaluations, store, faulty, tmp_path, monkeypatch
):
    monkeypatch.setattr(retries, "NOTICE_SECONDS", 4.0)
    slow = faulty.Slow(digits=2, rounds=1, pid_file=str(tmp_path / "pid"), seconds=2.0)
    training = on(evaluations[0].training, slow, gpus=1.0)
    node = add_node()
    seen = []
    for _, event in task_events([training], executor, store):
        seen.append(event)
        if isinstance(event, Started) and not any(isinstance(e, Retried) for e in seen):
            cluster.remove_node(node, allow_graceful=False)
        if isinstance(event, Retried):
            # Ray lists a killed node as alive for a while: a node like it comes back.
            add_node()
    assert isinstance(seen[-1], Finished)
    attempts = store.record(training).attempts
    assert [attempt.cause for attempt in attempts] == ["lost node"]
    assert "NodeDiedError" in attempts[0].message


@pytest.mark.slow
def test_half_a_gpu_lets_two_tasks_share_it(executor, add_node, evaluations, store, faulty):
    add_node()
    slow = faulty.Slow(digits=2, rounds=1, seconds=3.0)
    halves = [on(each.training, slow, gpus=0.5) for each in evaluations[:2]]
    assert [executor.capacity(half) for half in halves] == [2, 2]
    running, most = set(), 0
    for task, event in task_events(halves, executor, store):
        if isinstance(event, Started):
            running.add(task.key)
        if isinstance(event, Finished):
            running.remove(task.key)
        most = max(most, len(running))
    assert most == 2
    assert not running
