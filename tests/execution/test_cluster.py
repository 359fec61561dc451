"""Two nodes on this machine, one of them with GPUs that are declared but do not exist."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ray.cluster_utils import Cluster

from bench.execution import retries
from bench.execution.ray import connect
from bench.trials.events import Finished, Retried, Started


@pytest.fixture(scope="module")
def cluster(faulty):
    """Start a head that takes no trial of this module: each asks for a GPU."""
    # By default it takes Ray a third of a minute to see that a node is gone.
    checks = {"health_check_period_ms": 500, "health_check_failure_threshold": 3}
    head = {"num_cpus": 1, "include_dashboard": False, "_system_config": checks}
    found = Cluster(initialize_head=True, head_node_args=head)
    yield found
    found.shutdown()


@pytest.fixture(scope="module")
def executor(cluster):
    with connect(cluster.address) as found:
        yield found


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


def with_resources(trial, **changes):
    return replace(trial, resources=replace(trial.resources, **changes))


@pytest.mark.slow  # Ray takes its time to miss a node.
def test_a_trial_of_a_lost_node_is_run_elsewhere(
    cluster, executor, add_node, trials, store, faulty, tmp_path, monkeypatch
):
    monkeypatch.setattr(retries, "NOTICE_SECONDS", 4.0)
    pid_file = tmp_path / "pid"
    slow = faulty.Slow(digits=2, rounds=1, pid_file=str(pid_file), seconds=2.0)
    trial = with_resources(replace(trials[0], dataset=slow), gpus=1.0)
    node = add_node()
    seen = []
    for _, event in executor.run([trial], store):
        seen.append(event)
        if isinstance(event, Started) and not any(isinstance(e, Retried) for e in seen):
            cluster.remove_node(node, allow_graceful=False)
        if isinstance(event, Retried):
            # Ray lists a killed node as alive for a while: a node like it comes back.
            add_node()
    assert isinstance(seen[-1], Finished)
    attempts = store.record(trial).attempts
    assert [attempt.cause for attempt in attempts] == ["lost node"]
    assert "NodeDiedError" in attempts[0].message


@pytest.mark.slow
def test_half_a_gpu_lets_two_trials_share_it(executor, add_node, trials, store, faulty):
    add_node()
    slow = faulty.Slow(digits=2, rounds=1, seconds=3.0)
    halves = [with_resources(replace(trial, dataset=slow), gpus=0.5) for trial in trials[:2]]
    running, most = set(), 0
    for trial, event in executor.run(halves, store):
        if isinstance(event, Started):
            running.add(trial.key)
        if isinstance(event, Finished):
            running.remove(trial.key)
        most = max(most, len(running))
    assert most == 2
    assert not running
