"""A real Ray cluster on this machine."""

from __future__ import annotations

import os
import signal
import time
from contextlib import closing
from dataclasses import asdict, replace

import pytest
import ray
import torch

from bench.core.errors import BenchError
from bench.execution.ray import connect
from bench.execution.run import execute, place
from bench.trials.events import Finished, Progress, Started
from bench.trials.store import LOG, PREDICTIONS, WEIGHTS, Store


@pytest.fixture(scope="module")
def cluster(faulty):
    """Start the executor once for all tests here."""
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


def test_a_fault_before_a_trial_begins_is_told_as_it_is(cluster, trials, store):
    (store.folder(trials[0]) / LOG).mkdir(parents=True)
    failure = last_of(run(cluster, trials[:1], store), trials[0]).failure
    assert failure.cause == "error"
    assert failure.message.startswith(("IsADirectoryError: ", "PermissionError: "))


def test_a_fault_of_one_trial_is_its_own(cluster, trials, store, faulty, tmp_path):
    limited = replace(trials[0].resources, time_limit=2.0)
    hanging = replace(trials[0], dataset=faulty.Slow(), resources=limited)
    raising = replace(trials[0], dataset=faulty.Raises())
    exiting = replace(trials[0], dataset=faulty.Exits())
    pid_file = tmp_path / "pid"
    killed = replace(trials[0], dataset=faulty.Slow(pid_file=str(pid_file)))
    wrong, right = [hanging, raising, exiting, killed], trials[:1]
    events = []
    for trial, event in cluster.run([*wrong, *right], store):
        events.append((trial.key, event))
        if trial.key == killed.key and isinstance(event, Started):
            while not (pid_file.exists() and pid_file.read_text()):
                time.sleep(0.05)
            os.kill(int(pid_file.read_text()), signal.SIGKILL)
    assert all(isinstance(last_of(events, trial), Finished) for trial in right)
    faults = [last_of(events, trial).failure for trial in wrong]
    causes = ["timeout", "error", "lost worker", "lost worker"]
    assert [[attempt.cause for attempt in fault.attempts] for fault in faults] == [
        [cause] for cause in causes
    ]
    assert "time limit of 2 s" in faults[0].message
    assert faults[1].message == "RuntimeError: the disk is on fire"
    for trial, fault in zip(wrong, faults, strict=True):
        assert store.failure(trial) == fault
        assert store.record(trial) is None


def test_a_closed_run_ends_its_trials(cluster, trials, store, faulty):
    slow = replace(trials[0], dataset=faulty.Slow())
    with closing(cluster.run([slow], store)) as events:
        assert isinstance(next(events)[1], Started)
    before = time.monotonic()
    others = [replace(trial, resources=replace(trial.resources, cpus=2)) for trial in trials[:1]]
    events = run(cluster, others, store)
    assert isinstance(last_of(events, others[0]), Finished)
    assert time.monotonic() - before < 50, "the cancelled trial kept its CPU"


@pytest.mark.parametrize("kind", ["cpus", "workers"])
def test_a_trial_larger_than_every_node_is_refused(cluster, trials, store, kind):
    huge = replace(trials[0], resources=replace(trials[0].resources, **{kind: 4096}))
    with pytest.raises(BenchError, match="no node of the Ray cluster has as much"):
        run(cluster, [huge], store)


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_a_gpu_is_not_asked_for_where_there_is_none(cluster, trials, store):
    trial = replace(trials[0], resources=replace(trials[0].resources, gpus=0.5))
    events = run(cluster, [trial], store)
    assert isinstance(last_of(events, trial), Finished)
    assert store.record(trial).provenance.device == "cpu"


def test_no_dashboard_is_served(cluster):
    assert not ray._private.worker.get_dashboard_url()
