"""A tiny real suite, and the command line run in this process or another."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest
from hypothesis import settings

from bench import cli
from bench.config import bench_toml
from bench.core import hashing, signals
from bench.trials import grid
from bench.trials.store import Store

if TYPE_CHECKING:
    from bench.config.suite import Suite
    from bench.trials.specs import Evaluation, Trial

# A busy machine is no failure: examples have no time limit.
settings.register_profile("bench", deadline=None)
settings.load_profile("bench")
# Workers of pytest-xdist have it, and would lay out for it what is not a terminal.
os.environ.pop("COLUMNS", None)

# Dozens of processes start here; where byte code is not kept, each compiles torch and ray again.
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
FAKE_WEIGHTS = b"weights"


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
def prepared(tmp_path, monkeypatch) -> Path:
    """Work in a folder without a bench.toml, where all data sets look prepared; return it."""
    from bench.core import registry
    from bench.core.documents import encode
    from bench.data.store import data_dir
    from bench.data.store.prepared import DOCUMENT, Prepared, PreparedPartition

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(data_dir.VARIABLE, str(tmp_path / "data"))
    for name in registry.builtin("dataset"):
        for folder in (name, f"{name}-synthetic"):
            parts = {
                part: PreparedPartition(1, part, 1, {})
                for part in ("train", "validation", "test", "lines")
            }
            (tmp_path / "data" / folder).mkdir(parents=True)
            document = Prepared(folder, "Layout", parts, "0")
            # Not by `write_bytes` of bench, which waits for the disk at each of them.
            (tmp_path / "data" / folder / DOCUMENT).write_bytes(encode(document))
    return tmp_path


@pytest.fixture
def caught_signals():
    """Catch signals as the command line does, and forget in the end that any came."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    signals.catch_signals()
    yield
    signals._received.clear()
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def one_thread():
    """Have torch compute in one thread: tiny networks only wait for a second one."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def store(home) -> Store:
    return Store(home / "results")


@pytest.fixture
def suite(home) -> Suite:
    return bench_toml.load(home / "bench.toml").suite("tiny")


@pytest.fixture
def trials(suite) -> list[Trial]:
    """Return the trials of `tiny`: ctc and radial-ctc under seed 0, then under seed 1."""
    return grid.trials(suite)


@pytest.fixture
def evaluations(trials) -> list[Evaluation]:
    """Return the evaluations of the suite `tiny`: of both losses for seed 0, then for seed 1."""
    return [evaluation for trial in trials for evaluation in trial.evaluations.values()]


@pytest.fixture
def load_sweep(home):
    """Return a function that gives the suite `tiny` a sweep, one passage replaced, and reads it."""
    from bench.sweeps.sweep import Sweep, sweep_of

    def load(old: str = "", new: str = "", **globs: str | None) -> Sweep:
        assert SWEEP.count(old) == 1 or not old
        file = home / "bench.toml"
        file.write_text(TINY + (SWEEP.replace(old, new) if old else SWEEP))
        return sweep_of(bench_toml.load(file).suite("tiny"), **globs)

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
    """Return the module tests/faulty.py, importable here and in processes started from now on."""
    folder = Path(__file__).parent
    spec = importlib.util.spec_from_file_location("faulty", folder / "faulty.py")
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        # The processes of tasks have the path of this one; Ray's workers have not.
        patch.syspath_prepend(folder)
        patch.setenv("PYTHONPATH", str(folder), prepend=os.pathsep)
        patch.setitem(sys.modules, "faulty", module)
        spec.loader.exec_module(module)
        yield module


@pytest.fixture
def move_protocol(monkeypatch):
    """Return a function that makes of the protocol `digits` another version."""
    from bench.evaluation import protocols

    def move(version: int = 2) -> None:
        moved = replace(protocols.find_protocol("digits"), version=version)
        monkeypatch.setitem(protocols.PROTOCOLS, "digits", moved)

    return move


@pytest.fixture(scope="session")
def make_predictions():
    """Return a function that makes the predictions of samples of four digits each.

    The first `correct` are read right, one digit of each other is wrong, and `excluded` more have
    an empty reference.
    """
    from bench.evaluation.predictions import Predictions

    def make(protocol, *, correct=50, samples=100, excluded=0):
        rows = Predictions(protocol)
        for number in range(samples):
            rows.add(f"{number:03}", "1234", "1234" if number < correct else "1235")
        for number in range(excluded):
            rows.add(f"empty-{number}", "", "1")
        return rows.table()

    return make


@pytest.fixture(scope="session")
def make_provenance():
    """Return a function that makes the provenance of a task on an example machine."""
    from bench.trials.provenance import Provenance

    def make(task, **changes) -> Provenance:
        provenance = Provenance(
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
            threads=task.resources.cpus,
            seed=task.seed,
            finished="2025-11-21T08:00:00+00:00",
        )
        return replace(provenance, **changes)

    return make


@pytest.fixture(scope="session")
def make_training_record(make_provenance):
    """Return a function that makes the record that a finished training would leave."""
    from bench.trials.records import CurvePoint, Parameters, TrainingRecord, TrainingTimings
    from bench.trials.store import WEIGHTS

    def make(training, **changes) -> TrainingRecord:
        record = TrainingRecord(
            key=training.key,
            spec=training.spec,
            labels=training.labels,
            seed=training.seed,
            vocabulary=list("0123456789"),
            input_shape=[1, 8, 8],
            curve=[CurvePoint(10, 1.0, 2.5, 0.01, 0.75), CurvePoint(20, 2.0, 1.25, 0.005, 0.5)],
            selected_step=20,
            parameters=Parameters(total=12345, trainable=12300),
            timings=TrainingTimings(data=0.5, training=10.0, validation=1.0),
            provenance=make_provenance(training),
            files={WEIGHTS: hashlib.sha256(FAKE_WEIGHTS).hexdigest()},
        )
        return replace(record, **changes)

    return make


@pytest.fixture(scope="session")
def make_evaluation_record(make_predictions, make_provenance):
    """Return a function that makes the record that an evaluation of `make_predictions` leaves."""
    from bench.evaluation import predictions
    from bench.trials.records import EvaluationRecord
    from bench.trials.store import PREDICTIONS

    def make(evaluation, *, correct=50, samples=100, excluded=0, **changes) -> EvaluationRecord:
        counts = {"correct": correct, "samples": samples, "excluded": excluded}
        table = make_predictions(evaluation.protocol, **counts)
        content = predictions.predictions_to_bytes(table)
        record = EvaluationRecord(
            key=evaluation.key,
            spec=evaluation.spec,
            labels=evaluation.labels,
            seed=evaluation.seed,
            scores=predictions.corpus_scores(table, evaluation.protocol),
            samples=samples,
            excluded=predictions.excluded_counts(table),
            dropped=predictions.dropped_counts(table, evaluation.protocol),
            seconds=0.5,
            provenance=make_provenance(evaluation),
            files={PREDICTIONS: hashlib.sha256(content).hexdigest()},
        )
        return replace(record, **changes)

    return make


@pytest.fixture
def leave(store, make_predictions, make_training_record, make_evaluation_record):
    """Return a function that leaves in the store what a finished training or evaluation would.

    `counts` are those of `make_predictions`; `changes` change the record.
    """
    from bench.evaluation import predictions
    from bench.trials import store as disk

    def leave(task, counts=None, **changes):
        folder = store.begin(task)
        if task.kind == "training":
            (folder / disk.WEIGHTS).write_bytes(FAKE_WEIGHTS)
            record = make_training_record(task, **changes)
        else:
            table = make_predictions(task.protocol, **(counts or {}))
            (folder / disk.PREDICTIONS).write_bytes(predictions.predictions_to_bytes(table))
            record = make_evaluation_record(task, **(counts or {}), **changes)
        disk.write(folder / disk.RECORDS[task.kind], record)
        return record

    return leave


@pytest.fixture
def finish(leave):
    """Return a function that leaves in the store what finished trials would, 100 samples each."""

    def finish(trials, correct=50) -> None:
        for task in grid.tasks(trials):
            leave(task, {"correct": correct})

    return finish


@pytest.fixture(scope="session")
def make_profile():
    """Return a function that makes the profile of an evaluation; latencies are 1, 2, 3 and 4 ms."""
    from bench.profiling import method
    from bench.profiling.hardware import Hardware
    from bench.trials.provenance import Device, collect
    from bench.trials.records import Latency, Parameters, Profile

    def make(evaluation, name="Example CPU", *, reason="", finished="2025", **changes) -> Profile:
        hardware = Hardware("cpu", name, 1, 2)
        training = evaluation.training
        spec = method.profile_spec(evaluation, [11, 1, 8, 8], 11, hardware)
        origin = collect(
            evaluation.components, device=Device("cpu"), threads=1, seed=evaluation.seed
        )
        profile = Profile(
            key=hashing.digest(spec),
            spec=spec,
            labels={"model": training.model.label, "loss": training.loss.label},
            tests=[method.reading_conditions(evaluation.spec, training.spec)],
            hardware=hardware.line,
            parameters=Parameters(total=1234, trainable=1200),
            macs=7_204_192,
            weights=None,
            latencies=[
                Latency(batch, decoded, p50, 1.5 * p50, not reason, reason, [p50, 1.5 * p50])
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
