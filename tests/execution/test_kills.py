"""Processes killed with SIGKILL: nothing is left of a run, and it resumes to the same bits."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import uuid
from dataclasses import replace

import pytest
from processes import gone, none_marked, parent, written
from running import assert_same_bytes, task_events

from bench.execution.schedule import execute, open_executor
from bench.trials.events import Resumed
from bench.trials.store import CHECKPOINT, Store

pytestmark = pytest.mark.xdist_group("ray")

DRIVER = """\
import pickle, sys
from bench.execution.schedule import Schedule, open_executor
from bench.trials.leases import Leases
training, store, name = pickle.loads(bytes.fromhex(sys.argv[1]))
with Leases(store.root) as leases, open_executor(name) as executor:
    for task, event in Schedule.from_tasks([training], executor, store, leases).events():
        print(type(event).__name__, getattr(event, "failure", ""), flush=True)
"""


@pytest.fixture
def hanging(evaluations, faulty, tmp_path):
    """Return a training of four epochs that hangs in the third, once; and the file that it makes.

    A process below the one of the training reads its batches.
    """
    file = tmp_path / "hangs"
    training = evaluations[0].training
    training = replace(training, data=(faulty.Hangs(digits=2, rounds=1, file=str(file)),))
    training = replace(training, recipe=replace(training.recipe, epochs=4, schedule="one-cycle"))
    resources = replace(training.resources, checkpoint_every="0 seconds", workers=1)
    return training.with_resources(resources), file


@pytest.fixture
def start_driver(home):
    """Return a function that runs a training in a driver of its own, all marked in a variable."""
    started = []

    def start(training, store, executor, mark):
        arguments = pickle.dumps((training, store, executor)).hex()
        driver = subprocess.Popen(
            [sys.executable, "-c", DRIVER, arguments],
            cwd=home,
            env=os.environ | {"MARK": mark},
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(driver)
        return driver

    yield start
    for driver in started:
        driver.kill()
        driver.communicate()


def run(training, store):
    names = {training.key: training.key}
    assert execute([training], names, store, open_executor("in-process")) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("executor", "victim"),
    [
        ("inline", "child"),
        ("inline", "driver"),
        ("ray", "child"),
        ("ray", "worker"),
        ("ray", "driver"),
    ],
)
def test_a_kill_leaves_no_process_and_the_training_resumes(
    hanging, store, start_driver, tmp_path, executor, victim
):
    training, file = hanging
    mark = f"bench-{uuid.uuid4()}"
    driver = start_driver(training, store, executor, mark)
    reader = int(written(file))
    child = os.getpgid(reader)
    server = parent(child)
    pids = {"child": child, "worker": parent(server), "driver": driver.pid}
    assert (executor == "inline") == (pids["worker"] == driver.pid)
    os.kill(pids[victim], signal.SIGKILL)
    if victim != "driver":
        out, _ = driver.communicate(timeout=120)
        assert "cause='lost worker'" in out
        assert ("killed by SIGKILL" in out) == (victim == "child")
    assert gone(reader, child)
    driver.wait(60)
    assert none_marked(mark)

    assert (store.folder(training) / CHECKPOINT).exists()
    with open_executor("inline") as again:
        events = [event for _, event in task_events([training], again, store)]
    (resumed,) = (event for event in events if isinstance(event, Resumed))
    assert resumed.step in {20, 21}, "epochs of ten steps: it hung once the third had begun"
    alone = Store(tmp_path / "alone")
    run(training, alone)
    assert_same_bytes(training, store, alone)
