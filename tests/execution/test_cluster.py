"""Two nodes on this machine, one of them with GPUs that are declared but do not exist."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import ray
from ray.cluster_utils import Cluster

from bench.execution.ray import connect
from bench.training.events import Finished, Retried, Started

TESTS = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def faulty():
    """Return the module tests/faulty.py, importable here and in workers."""
    spec = importlib.util.spec_from_file_location("faulty", TESTS / "faulty.py")
    sys.modules["faulty"] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def cluster(faulty):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(TESTS))
        found = Cluster(
            initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False}
        )
        yield found
        found.shutdown()


@pytest.fixture(scope="module")
def executor(cluster):
    with connect(cluster.address) as found:
        yield found


@pytest.fixture
def gpu_node(cluster, executor):
    node = cluster.add_node(num_cpus=1, num_gpus=1)
    yield node
    if node in cluster.worker_nodes:
        cluster.remove_node(node)


def with_resources(trial, **changes):
    return replace(trial, resources=replace(trial.resources, **changes))


def test_a_trial_of_a_lost_node_is_run_elsewhere(
    cluster, executor, gpu_node, trials, store, faulty, tmp_path
):
    pid_file = tmp_path / "pid"
    # Only the node with the GPU can take the first attempt; no GPU is asked for once it is gone.
    slow = faulty.Slow(digits=2, rounds=1, pid_file=str(pid_file), seconds=2.0)
    trial = with_resources(replace(trials[0], dataset=slow), gpus=1.0)
    seen = []
    for _, event in executor.run([trial], store):
        seen.append(event)
        if isinstance(event, Started) and not any(isinstance(e, Retried) for e in seen):
            cluster.remove_node(gpu_node, allow_graceful=False)
        if isinstance(event, Retried):
            # Ray lists a killed node as alive for a while: a node like it comes back.
            cluster.add_node(num_cpus=1, num_gpus=1)
    assert isinstance(seen[-1], Finished)
    attempts = store.record(trial).attempts
    assert [attempt.cause for attempt in attempts] == ["lost node"]
    assert "NodeDiedError" in attempts[0].message


def test_half_a_gpu_lets_two_trials_share_it(executor, gpu_node, trials, store):
    halves = [with_resources(trial, gpus=0.5) for trial in trials[:2]]
    assert ray.cluster_resources()["GPU"] >= 1
    events = [event for _, event in executor.run(halves, store)]
    assert sum(isinstance(event, Finished) for event in events) == 2, events
