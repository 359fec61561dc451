"""A real Ray cluster on this machine."""

from __future__ import annotations

import importlib.util
import os
import signal
import sys
import time
from contextlib import closing
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import ray

from bench.errors import BenchError
from bench.execution.ray import connect
from bench.execution.run import execute, place
from bench.store import PREDICTIONS, WEIGHTS, Store
from bench.training.events import Finished, Progress, Started

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
    """Start the executor once for all tests here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(TESTS))
        with connect() as executor:
            yield executor


def run(executor, trials, store):
    return [(trial.key, event) for trial, event in executor.run(trials, store)]


def last_of(events, trial):
    return [event for key, event in events if key == trial.key][-1]


def test_ray_gives_the_records_of_the_inline_executor(cluster, trials, store, tmp_path):
    inline = Store(tmp_path / "inline")
    assert execute(trials[:2], inline, place("inline")) == []
    events = run(cluster, trials[:2], store)
    assert any(isinstance(event, Progress) for _, event in events)
    for trial in trials[:2]:
        assert isinstance(last_of(events, trial), Finished)
        here, there = asdict(inline.record(trial)), asdict(store.record(trial))
        for moving in ("timings", "provenance"):
            del here[moving], there[moving]
        assert here == there
        for name in (PREDICTIONS, WEIGHTS):
            assert (inline.folder(trial) / name).read_bytes() == (
                store.folder(trial) / name
            ).read_bytes()


def test_a_fault_of_one_trial_is_its_own(cluster, trials, store, faulty):
    limited = replace(trials[0].resources, time_limit=2.0)
    hanging = replace(trials[0], dataset=faulty.Slow(), resources=limited)
    raising = replace(trials[0], dataset=faulty.Raises())
    exiting = replace(trials[0], dataset=faulty.Exits())
    events = run(cluster, [hanging, raising, exiting, trials[0]], store)
    assert isinstance(last_of(events, trials[0]), Finished)
    faults = [last_of(events, trial).failure for trial in (hanging, raising, exiting)]
    assert [fault.cause for fault in faults] == ["timeout", "error", "lost worker"]
    assert [len(fault.attempts) for fault in faults] == [1, 1, 1]
    assert "time limit of 2 s" in faults[0].message
    assert faults[1].message == "RuntimeError: the disk is on fire"
    for trial, fault in zip((hanging, raising, exiting), faults, strict=True):
        assert store.failure(trial) == fault
        assert store.record(trial) is None


def test_a_killed_worker_loses_only_its_trial(cluster, trials, store, faulty, tmp_path):
    pid_file = tmp_path / "pid"
    slow = replace(trials[0], dataset=faulty.Slow(pid_file=str(pid_file)))
    seen = []
    for trial, event in cluster.run([slow, trials[1]], store):
        seen.append((trial.key, event))
        if trial is slow and isinstance(event, Started):
            while not (pid_file.exists() and pid_file.read_text()):
                time.sleep(0.05)
            os.kill(int(pid_file.read_text()), signal.SIGKILL)
    assert isinstance(last_of(seen, trials[1]), Finished)
    assert last_of(seen, slow).failure.cause == "lost worker"
    assert store.record(slow) is None


def test_a_closed_run_ends_its_trials(cluster, trials, store, faulty):
    slow = replace(trials[0], dataset=faulty.Slow())
    with closing(cluster.run([slow], store)) as events:
        assert isinstance(next(events)[1], Started)
    before = time.monotonic()
    others = [replace(trial, resources=replace(trial.resources, cpus=2)) for trial in trials[:1]]
    events = run(cluster, others, store)
    assert isinstance(last_of(events, others[0]), Finished)
    assert time.monotonic() - before < 50, "the cancelled trial kept its CPU"


def test_a_trial_larger_than_every_node_is_refused(cluster, trials, store):
    huge = replace(trials[0], resources=replace(trials[0].resources, cpus=4096))
    with pytest.raises(BenchError, match="no node of the Ray cluster has as much"):
        run(cluster, [huge], store)


def test_a_gpu_is_not_asked_for_where_there_is_none(cluster, trials, store):
    if ray.cluster_resources().get("GPU"):
        pytest.skip("this machine has a GPU")
    trial = replace(trials[0], resources=replace(trials[0].resources, gpus=0.5))
    events = run(cluster, [trial], store)
    assert isinstance(last_of(events, trial), Finished)
    assert store.record(trial).provenance.device == "cpu"


def test_no_dashboard_is_served(cluster):
    assert not ray._private.worker.get_dashboard_url()
