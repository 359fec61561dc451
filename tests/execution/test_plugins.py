"""Tasks with components of plug-ins, in new interpreters and in workers of a cluster."""

from __future__ import annotations

from dataclasses import replace

import pytest
from plugins import LOSS
from ray.cluster_utils import Cluster
from running import task_events

from bench.core import plugin_files, registry
from bench.execution import task_process
from bench.execution.ray import connect
from bench.execution.task_process import start_task
from bench.trials.events import Finished

pytestmark = pytest.mark.xdist_group("ray")


@pytest.fixture(scope="module")
def cluster():
    """Start a cluster whose processes do not have the environment that tests set."""
    cluster = Cluster(
        initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False}
    )
    yield cluster
    cluster.shutdown()


@pytest.fixture
def training(tmp_path, evaluations, monkeypatch):
    """Return a training with the loss of a plug-in, whose file has been edited since."""
    monkeypatch.delenv(plugin_files.VARIABLE, raising=False)
    file = tmp_path / "my_loss.py"
    file.write_text(LOSS)
    plugin_files.set_plugins([file])
    file.write_text("raise RuntimeError('this is not what the key stands for')\n")
    loss = registry.make("loss", "my-loss", {"factor": 2.0})
    yield replace(evaluations[0].training, loss=loss)
    plugin_files.set_plugins([])


@pytest.mark.slow
def test_workers_of_a_cluster_import_what_the_driver_has_read(cluster, training, store):
    with connect(cluster.address) as executor:
        *_, (_, last) = task_events([training], executor, store)
    assert isinstance(last, Finished), last
    record = store.record(training)
    assert record.spec["loss"] == training.loss.spec()
    assert record.provenance.components["my-loss"].file == "my_loss.py"


@pytest.mark.slow
def test_a_new_interpreter_imports_what_this_process_has_read(training, store, monkeypatch):
    monkeypatch.setattr(task_process, "can_fork", lambda: False)
    process = start_task(training, store, [], [])
    *_, last = process.reports()
    assert isinstance(last, Finished), last
    assert store.record(training).spec["loss"] == training.loss.spec()
