"""Which GPUs the processes of tasks see, on a node that declares four."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from ray.cluster_utils import Cluster
from running import task_events

from bench.execution.ray import connect
from bench.trials.events import Failed

pytestmark = pytest.mark.xdist_group("ray")


@pytest.fixture(scope="module")
def executor(faulty):
    node = {"num_cpus": 4, "num_gpus": 4, "include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args=node)
    with connect(cluster.address) as executor:
        yield executor
    cluster.shutdown()


@pytest.mark.slow
def test_no_process_ever_sees_two_gpus(executor, evaluations, store, faulty, tmp_path):
    file = tmp_path / "seen"
    training = evaluations[0].training
    training = replace(training, data=(faulty.Sees(digits=2, file=str(file)),))
    shares = [0.5, 1.0, 1.0, 0.5, 0.5, 1.0, 0.0, 0.5]
    tasks = []
    for seed in range(40):
        resources = replace(training.resources, gpus=shares[seed % len(shares)])
        tasks.append(replace(training, seed=seed).with_resources(resources))
    events = [event for _, event in task_events(tasks, executor, store)]
    failures = [event.failure for event in events if isinstance(event, Failed)]
    assert {failure.message for failure in failures} == {"seen; look at the file"}
    seen = [line.split() for line in Path(file).read_text().splitlines()]
    assert len(seen) == 40
    assert len({pid for pid, *_ in seen}) == 40
    given = Counter(visible for *_, visible in seen)
    assert given.pop("''") == sum(task.resources.gpus == 0 for task in tasks)
    assert given.keys() == {"'0'", "'1'", "'2'", "'3'"}
