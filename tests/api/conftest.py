"""The suite `quick`, but with tiny networks, run once through the library."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import bench

ROOT = Path(__file__).parents[2]
QUICK = """\
[suite.quick]
about = "Two digits, one epoch, seconds."
protocol = "digits"
seeds = [0, 1]
datasets = [{ name = "seq-digits", digits = 2, rounds = 1 }]
models = [{ name = "cnn-bilstm", width = 2, hidden = 4 }]
losses = ["ctc", "radial-ctc"]

[suite.quick.recipe]
epochs = 1
batch_size = 64
learning_rate = 0.01

[dataset.words]
kind = "words"
folder = "words"
format = "tab"
labels = "gt.txt"
splits = "test"
"""


@pytest.fixture(scope="session")
def ran(tmp_path_factory):
    """Return a folder in which the library has run `quick` under seed 0."""
    import torch

    threads = torch.get_num_threads()
    folder = tmp_path_factory.mktemp("library")
    (folder / "bench.toml").write_text(QUICK)
    (folder / "leaderboards").symlink_to(ROOT / "leaderboards")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        bench.run("quick", seeds=[0], executor="in-process")
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(mode=False)
    return folder


@pytest.fixture
def home(ran, monkeypatch):
    """Work in the folder in which `quick` has run."""
    monkeypatch.chdir(ran)
    return ran


@pytest.fixture(autouse=True)
def _same_environment():
    """Take no folder of data and no plug-in from another test, and leave none to the next."""
    names = ("BENCH_DATA", "BENCH_RESULTS", "BENCH_PLUGIN_SOURCES")
    before = {name: os.environ.pop(name, None) for name in names}
    yield
    for name, value in before.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
