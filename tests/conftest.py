"""A tiny real suite, and the command line run in this process or another."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from bench import cli
from bench.config import bench_toml as config
from bench.config import suite as suites
from bench.core import hashing
from bench.trials import grid
from bench.trials.records import Epoch
from bench.trials.specs import Evaluation, Trial
from bench.trials.store import Store

# Dozens of processes start here; where byte code is not kept, each compiles torch and ray anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

TINY = """\
[suite.tiny]
about = "Two digits, one epoch, seconds."
protocol = "digits"
seeds = [0, 1]
datasets = [{ name = "seq-digits", digits = 2, rounds = 1 }]
models = [{ name = "cnn-bilstm", width = 2, hidden = 4 }]
losses = ["ctc", "radial-ctc"]

[suite.tiny.recipe]
epochs = 1
batch_size = 64
learning_rate = 0.01
"""

SWEEP = """
[suite.tiny.sweep]
loss = "ctc"
trials = 6

[suite.tiny.sweep.space]
recipe.learning_rate = { loguniform = [1e-3, 1e-1] }
recipe.optimizer = { choice = ["adam", "sgd"] }
model.hidden = { randint = [4, 9] }
"""


class Answer(NamedTuple):
    """What a command ended with."""

    code: int
    out: str
    err: str


@pytest.fixture
def home(tmp_path, monkeypatch) -> Path:
    """Return a working folder whose bench.toml has the suite `tiny`."""
    (tmp_path / "bench.toml").write_text(TINY)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="session")
def trained(tmp_path_factory) -> Path:
    """Return a folder in which the suite `tiny` has run, for four epochs; copy it to change it."""
    folder = tmp_path_factory.mktemp("trained")
    (folder / "bench.toml").write_text(TINY.replace("epochs = 1", "epochs = 4"))
    command = ["run", "tiny", "--executor", "inline", "--no-profile"]
    subprocess.run([sys.executable, "-m", "bench", *command], cwd=folder, check=True)
    return folder


@pytest.fixture
def store(home) -> Store:
    return Store(home / "results")


@pytest.fixture
def suite(home) -> suites.Suite:
    return config.load(home / "bench.toml").suite("tiny")


@pytest.fixture
def trials(suite) -> list[Trial]:
    return grid.trials(suite)


@pytest.fixture
def evaluations(trials) -> list[Evaluation]:
    """Return the evaluations of the suite `tiny`: of both losses for seed 0, then for seed 1."""
    return [evaluation for trial in trials for evaluation in trial.evaluations.values()]


@pytest.fixture
def load_sweep(home):
    """Return a function that gives the suite `tiny` a sweep, one passage replaced, and reads it."""
    from bench.sweeps import sweep

    def load(old: str = "", new: str = "", **globs: str | None) -> sweep.Sweep:
        assert SWEEP.count(old) == 1 or not old
        file = home / "bench.toml"
        file.write_text(TINY + (SWEEP.replace(old, new) if old else SWEEP))
        return sweep.sweep_of(config.load(file).suite("tiny"), **globs)

    return load


@pytest.fixture
def study(load_sweep, home):
    """Return the study of a sweep of the suite `tiny`, without a trial."""
    from bench.sweeps.study import Study

    study = Study(load_sweep(), home / "results")
    study.prepare()
    return study


@pytest.fixture
def bench(monkeypatch, capsys):
    """Return the command line as a function, run in this process."""

    def call(*words: str) -> Answer:
        monkeypatch.setattr(sys, "argv", ["bench", *words])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return Answer(int(ended.value.code or 0), *capsys.readouterr())

    return call


@pytest.fixture
def start_bench(home):
    """Return a function that starts the command line in a process of its own, in `home`."""
    started = []

    def start(*words: str, **environment: str) -> subprocess.Popen:
        process = subprocess.Popen(
            [sys.executable, "-m", "bench", *words],
            cwd=home,
            env=os.environ | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture(scope="module")
def faulty():
    """Return the module tests/faulty.py, importable here and in the workers started from now on."""
    folder = Path(__file__).parent
    spec = importlib.util.spec_from_file_location("faulty", folder / "faulty.py")
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(folder))
        patch.setitem(sys.modules, "faulty", module)
        spec.loader.exec_module(module)
        yield module


@pytest.fixture
def finish(store, make_record):
    """Return a function that leaves in the store what finished trials would, 100 samples each."""
    from bench.trials import store as disk

    def finish(trials, correct=50, **changes) -> None:
        for trial in trials:
            record = make_record(
                trial, correct=correct, samples=100, edits=100 - correct, length=400, **changes
            )
            disk.write(store.begin(trial) / disk.RECORD, record)

    return finish


@pytest.fixture
def move_protocol(monkeypatch):
    """Return a function that makes of the protocol `digits` another version."""
    from dataclasses import replace

    from bench.evaluation import protocols

    def move(version: int = 2) -> None:
        moved = replace(protocols.find("digits"), version=version)
        monkeypatch.setitem(protocols.PROTOCOLS, "digits", moved)

    return move


@pytest.fixture(scope="session")
def make_record():
    """Return a function that makes the record which a finished trial would leave."""
    from dataclasses import replace

    from bench.evaluation.metrics.error_rates import ErrorRates
    from bench.trials import store as disk
    from bench.trials.provenance import Provenance

    def make(trial, *, correct, samples, edits, length, excluded=None, **changes) -> disk.Record:
        rates = ErrorRates(samples, correct, edits, length, excluded or {})
        found = disk.Record(
            key=trial.key,
            spec=trial.spec,
            labels=trial.labels,
            seed=trial.seed,
            metrics={"validation": rates, "test": rates},
            curve=[
                Epoch(1, 2.5, 0.01, 0.75),
                Epoch(2, 1.25, 0.005, 0.5),
            ],
            selected_epoch=2,
            parameters=disk.Parameters(total=12345, trainable=12300),
            timings=disk.Timings(data=0.5, training=10.0, validation=1.0, test=0.5),
            provenance=Provenance(
                bench="0.1.0",
                commit="0123456789abcdef0123456789abcdef01234567",
                dirty=False,
                python="3.11.7",
                packages={"torch": "2.8.0", "numpy": "2.1.0"},
                platform="Linux-6.1-x86_64",
                cpu="Example CPU @ 2.50GHz",
                cores=8,
                gpu=None,
                device="cpu",
                threads=trial.resources.cpus,
                seed=trial.seed,
                finished="2025-11-21T08:00:00+00:00",
            ),
            files={disk.PREDICTIONS: "0" * 64, disk.WEIGHTS: "1" * 64},
        )
        return replace(found, **changes)

    return make


@pytest.fixture(scope="session")
def make_profile():
    """Return a function that makes a profile of an evaluation; its latencies are 1 to 4 ms."""
    from dataclasses import replace

    from bench.profiling import method
    from bench.profiling.hardware import Hardware
    from bench.trials import records
    from bench.trials.provenance import collect

    def make(
        evaluation, name="Example CPU", *, reason="", finished="2025", **changes
    ) -> records.Profile:
        hardware = Hardware("cpu", name, 1, 2)
        spec = method.spec(evaluation, [11, 1, 8, 8], 11, hardware)
        conditions = method.reading_conditions(evaluation.spec, evaluation.training.spec)
        origin = collect(
            evaluation.components, device="cpu", gpu=None, threads=1, seed=evaluation.seed
        )
        profile = records.Profile(
            key=hashing.digest(spec),
            spec=spec,
            labels={part: evaluation.labels[part] for part in ("model", "loss", "decoder")},
            tests=[conditions],
            hardware=hardware.line,
            parameters=records.Parameters(total=1234, trainable=1200),
            macs=7_204_192,
            weights=None,
            latencies=[
                records.Latency(batch, decoded, p50, 1.5 * p50, not reason, reason, [p50, 1.5 * p50])
                for batch, decoded, p50 in (
                    (1, False, 1.0),
                    (1, True, 2.0),
                    (24, False, 3.0),
                    (24, True, 4.0),
                )
            ],
            provenance=replace(origin, finished=finished),
        )
        return replace(profile, **changes)

    return make
