"""Profiles on nodes of a real Ray cluster, whose GPUs are declared but do not exist."""

from __future__ import annotations

import json
import os
import signal
import time
from contextlib import nullcontext
from dataclasses import replace

import pytest

from bench.execution.ray import connect  # isort: skip (before Ray, whose environment it settles)
import ray
from ray.cluster_utils import Cluster
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from bench.config.recipe import Resources
from bench.core.errors import BenchError
from bench.profiling import cluster_node, latency, phase
from bench.profiling.cluster_node import ClusterProfiler, Node, alive_nodes, choose_node
from bench.profiling.hardware import find_hardware

pytestmark = pytest.mark.xdist_group("ray")

SMALL = Node("c", "10.0.0.3", cpus=2, gpus=0)
LARGE = Node("b", "10.0.0.2", cpus=64, gpus=0)
GPUS = Node("d", "10.0.0.4", cpus=16, gpus=8)
SAME = Node("a", "10.0.0.5", cpus=16, gpus=8)


@pytest.mark.parametrize(
    ("resources", "node"),
    [
        (Resources(), GPUS),
        (Resources(cpus=16, device="cuda"), GPUS),
        (Resources(cpus=32), LARGE),
        (Resources(device="cpu"), LARGE),
    ],
)
def test_the_largest_node_is_chosen_and_preferably_one_with_gpus(resources, node):
    assert choose_node(resources, [SMALL, SAME, LARGE, GPUS]) == node


def test_a_fraction_of_a_gpu_does_not_count_as_a_gpu():
    assert choose_node(Resources(), [replace(SMALL, gpus=0.5), LARGE]) == LARGE


def test_a_cluster_without_the_resources_is_an_error():
    with pytest.raises(BenchError, match="no node of the Ray cluster has a GPU and 1 CPU"):
        choose_node(Resources(device="cuda"), [SMALL, LARGE])
    with pytest.raises(BenchError, match="no node of the Ray cluster has 128 CPU"):
        choose_node(Resources(cpus=128), [SMALL, LARGE])


@pytest.fixture(scope="module")
def cluster():
    """Start a head that has more CPUs but no GPU, and a node with two CPUs and two GPUs."""
    head = {"num_cpus": 3, "num_gpus": 0, "include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    cluster.add_node(num_cpus=2, num_gpus=2)
    with connect(cluster.address):
        yield cluster
    cluster.shutdown()


@pytest.fixture
def with_gpus(cluster) -> Node:
    return next(node for node in alive_nodes() if node.gpus)


@pytest.fixture
def start(with_gpus):
    """Return a function that starts a task of one CPU and one GPU on the node with GPUs."""
    where = NodeAffinitySchedulingStrategy(with_gpus.id, soft=False)
    started = []

    @ray.remote(num_cpus=1, num_gpus=1, max_retries=0, scheduling_strategy=where)
    def run(seconds):
        time.sleep(seconds)
        return ray.get_gpu_ids()

    def start(seconds):
        started.append(run.remote(seconds))
        return started[-1]

    yield start
    for task in started:
        ray.cancel(task, force=True)


@pytest.fixture
def node(cluster):
    """Return the profiler with its messages, and release its node at the end."""
    sentences = []
    node = ClusterProfiler(sentences.append)
    node.sentences = sentences
    yield node
    release(node)


def release(node) -> None:
    if node._worker:
        ray.kill(node._worker[1])
        node._worker = None


def finished(task, seconds=0.0) -> bool:
    return bool(ray.wait([task], timeout=seconds)[0])


@pytest.mark.slow
def test_a_phase_measures_on_the_gpu_node_exclusively(node, start, evaluations, store, with_gpus):
    begun = []
    outcome = phase.profile_evaluations(
        evaluations,
        store,
        node.sentences.append,
        nullcontext(node),
        begin=lambda number, total, _: begun.append((number, total)),
    )
    assert outcome.faults == []
    assert len(outcome.profiles) == len(list(store.profiles())) == 2
    assert node.sentences == []
    assert begun == [(1, 2), (2, 2)]
    here = find_hardware(replace(evaluations[0].resources, device="cpu"))
    for profile in outcome.profiles:
        assert profile.spec["hardware"] == here.spec()
        assert profile.hardware == here.line
        assert len(profile.latencies) == 4
        assert min(len(each.milliseconds) for each in profile.latencies) >= latency.MIN_SAMPLES
    assert node._worker[0] == with_gpus
    beside = start(0.0)
    # The node has a second GPU, but no free CPU for a task that would use it.
    assert not finished(beside, 2.0)
    release(node)
    assert finished(beside, 60.0)
    for profile in outcome.profiles:
        store.keep(replace(profile, latencies=[]))
    assert phase.profile_evaluations(
        evaluations, store, node.sentences.append, nullcontext(node)
    ).profiles
    assert node._worker is None, "no node is reserved where nothing is to be measured"


@pytest.mark.slow
def test_a_busy_node_is_waited_for(node, start, evaluations, store, monkeypatch):
    monkeypatch.setattr(cluster_node, "NOTICE_SECONDS", 0.5)
    busy = start(4.0)
    time.sleep(1.0)
    assert node.measure(evaluations[0], store, set()).latencies
    assert finished(busy)
    (sentence,) = node.sentences
    assert sentence.startswith("waiting for other tasks to release 2 CPU and 1 GPU of node ")


@pytest.mark.slow
def test_a_node_that_stays_busy_fails_all_profiles_without_another_wait(
    node, start, evaluations, store, monkeypatch
):
    monkeypatch.setattr(cluster_node, "NOTICE_SECONDS", 0.1)
    monkeypatch.setattr(cluster_node, "MAX_WAIT_SECONDS", 2.0)
    start(600.0)
    time.sleep(1.0)
    for evaluation in evaluations[:2]:
        with pytest.raises(
            BenchError, match="other tasks of the cluster did not release 2 CPU and 1 GPU"
        ):
            node.measure(evaluation, store, set())
    assert len(node.sentences) == 1


@pytest.mark.slow
def test_an_error_and_a_lost_worker_affect_one_profile(node, evaluations, store):
    evaluation = evaluations[0]
    empty = replace(evaluation, test=replace(evaluation.test, digits=500))
    with pytest.raises(BenchError, match="has no sample in split 'test'"):
        node.measure(empty, store, set())
    assert node._worker, "a worker that has reported a fault is used again"
    pid = ray.get(node._worker[1].__ray_call__.remote(lambda _: os.getpid()))
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(BenchError, match=r"the profiling worker on node .* was lost"):
        node.measure(evaluation, store, set())
    assert node.measure(evaluation, store, set()).latencies


@pytest.mark.slow
def test_the_command_measures_on_the_cluster_at_its_address(cluster, start_bench, home):
    words = ("run", "tiny", "-l", "ctc", "--seeds", "0", "--address", cluster.address)
    out, err = (process := start_bench(*words)).communicate(timeout=300)
    assert process.returncode == 0, err
    assert "profiling cnn-bilstm(width=2, hidden=4) · ctc reading" in err
    assert "ms b24" in out
    again = start_bench("profile", "tiny", "--json", RAY_ADDRESS=cluster.address)
    out, err = again.communicate(timeout=300)
    ctc, radial = json.loads(out)
    assert ctc["weights"]
    assert not radial["weights"]
    assert sum("] profiling " in line for line in err.splitlines()) >= 1
    assert ctc["hardware"] == radial["hardware"]
