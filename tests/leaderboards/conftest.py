"""Artificial records with real tables of predictions, for a suite of two test sets."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Collection
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from bench.config import bench_toml
from bench.core.documents import write_bytes
from bench.core.hashing import digest
from bench.evaluation import predictions
from bench.leaderboards import publish, working
from bench.profiling import method
from bench.profiling.hardware import Hardware
from bench.trials import grid, records
from bench.trials import store as disk
from bench.trials.provenance import Provenance
from bench.trials.store import Store

TINY = """\
[recipe.short]
epochs = 2
batch_size = 64
learning_rate = 0.01

[suite.tiny]
about = "Two test sets, seconds."
protocol = "digits"
seeds = [0, 1]
train = [{ name = "seq-digits", digits = 2, rounds = 1 }]
tests = [
    { name = "seq-digits", digits = 2, rounds = 1 },
    { name = "seq-digits", digits = 3, rounds = 1 },
]
models = [{ name = "cnn-bilstm", width = 2, hidden = 4 }]
losses = ["ctc", "radial-ctc"]
recipe = "short"
"""
SAMPLES = 40
FIRST, SECOND = "seq-digits(digits=2, rounds=1)", "seq-digits(digits=3, rounds=1)"
"""The test sets of the suite."""
ORIGIN = Provenance(
    bench="0.1.0",
    commit="0123456789abcdef0123456789abcdef01234567",
    dirty=False,
    python="3.11.7",
    packages={"torch": "2.8.0"},
    platform="Linux-6.1-x86_64",
    cpu="Example CPU @ 2.50GHz",
    cores=8,
    gpu=None,
    device="cpu",
    threads=1,
    seed=0,
    finished="2025-11-21T08:00:00+00:00",
)


@pytest.fixture
def home(tmp_path, monkeypatch) -> Path:
    """Return a working folder whose bench.toml has the suite `tiny`."""
    (tmp_path / "bench.toml").write_text(TINY)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def edit_toml(home) -> Callable[..., bench_toml.Config]:
    """Return a function that replaces one passage of bench.toml and reads it again."""

    def edit(old: str = "", new: str = "") -> bench_toml.Config:
        file = home / "bench.toml"
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new, 1) if old else text)
        return bench_toml.load(file)

    return edit


@pytest.fixture
def config(home) -> bench_toml.Config:
    return bench_toml.load(home / "bench.toml")


@pytest.fixture
def suite(config):
    return config.suite("tiny")


@pytest.fixture
def trials(suite) -> list[grid.Trial]:
    """Return the trials: ctc, radial-ctc with seed 0, then both with seed 1."""
    return grid.trials(suite)


@pytest.fixture
def store(home) -> Store:
    return Store(home / "results")


def training_record(training, **changes) -> records.TrainingRecord:
    """Return the record of a finished training, without its files."""
    record = records.TrainingRecord(
        key=training.key,
        spec=training.spec,
        labels=training.labels,
        seed=training.seed,
        vocabulary=[*"0123456789"],
        input_shape=[1, 8, 8],
        curve=[
            records.CurvePoint(10, 1.0, 2.5, 0.01, 0.75),
            records.CurvePoint(20, 2.0, 1.25, 0.01, 0.5),
        ],
        selected_step=20,
        parameters=records.Parameters(total=12345, trainable=12300),
        timings=records.TrainingTimings(data=0.5, training=10.0, validation=1.0),
        provenance=replace(ORIGIN, seed=training.seed),
        files={},
    )
    return replace(record, **changes)


def predictions_table(protocol, wrong: Collection[int], samples: int = SAMPLES, path=None):
    """Return predictions on `samples` digits, with an error in the last letter of those in `wrong`,
    and one sample without a transcript; all of them on `path`."""
    rows = predictions.Predictions(protocol)
    for number in range(samples):
        reference = f"{number:02}"
        last = str((number + 1) % 10) if number in wrong else reference[-1]
        rows.add(f"s{number:02}", reference, reference[:-1] + last, confidence=0.5, path=path)
    rows.add("empty", "", "7", confidence=0.5)
    return rows.table()


def write_training(store: Store, training, **changes) -> Path:
    """Write the record and the weights of a finished training, and return its folder."""
    folder = store.begin(training)
    write_bytes(folder / disk.WEIGHTS, b"weights")
    files = {disk.WEIGHTS: hashlib.sha256(b"weights").hexdigest()}
    disk.write(folder / disk.TRAINING, training_record(training, **{"files": files} | changes))
    return folder


def write_evaluation(
    store: Store, evaluation, wrong: Collection[int], path=None, **changes
) -> Path:
    """Write the record and the predictions of a finished evaluation, and return its folder."""
    folder, protocol = store.begin(evaluation), evaluation.protocol
    table = predictions_table(protocol, wrong, path=path)
    content = predictions.predictions_to_bytes(table)
    write_bytes(folder / disk.PREDICTIONS, content)
    record = records.EvaluationRecord(
        key=evaluation.key,
        spec=evaluation.spec,
        labels=evaluation.labels,
        seed=evaluation.seed,
        scores=predictions.corpus_scores(table, protocol),
        samples=SAMPLES,
        excluded=predictions.excluded_counts(table),
        dropped=predictions.dropped_counts(table, protocol),
        seconds=0.5,
        provenance=replace(ORIGIN, seed=evaluation.seed),
        files={disk.PREDICTIONS: hashlib.sha256(content).hexdigest()},
    )
    disk.write(folder / disk.EVALUATION, replace(record, **changes))
    return folder


def finish_trials(
    store: Store, trials, wrong: int | Collection[int] = 0, columns: Collection[str] = ()
) -> None:
    """Write the records and files of finished trials.

    Each misreads the samples in `wrong`, or so many of the first; on all columns, or on those.
    """
    misread = range(wrong) if isinstance(wrong, int) else wrong
    for trial in trials:
        for training in trial.trainings:
            write_training(store, training)
        for column, evaluation in trial.evaluations.items():
            if not columns or column in columns:
                write_evaluation(store, evaluation, misread)


def finish_all(store: Store, trials) -> None:
    """Finish all trials: ctc has errors in 4 of 40 samples, radial-ctc in 20."""
    finish_trials(store, trials[::2], 4)
    finish_trials(store, trials[1::2], 20)


@pytest.fixture
def finish(store) -> Callable[..., None]:
    """Return `finish_trials` for the store of `home`."""
    return partial(finish_trials, store)


@pytest.fixture
def finished(store, trials) -> list[grid.Trial]:
    """Return the trials, all of them finished."""
    finish_all(store, trials)
    return trials


@pytest.fixture(scope="session")
def published_template(tmp_path_factory) -> Path:
    """Return a folder in which the suite is finished, profiled and published."""
    folder = tmp_path_factory.mktemp("published")
    (folder / "bench.toml").write_text(TINY)
    config = bench_toml.load(folder / "bench.toml")
    suite, store = config.suite("tiny"), Store(folder / "results")
    finish_all(store, grid.trials(suite))
    keep_profiles(store, grid.trials(suite))
    working.write_working_board(config, suite)
    publication = publish.prepare_publication(
        *working.compute_working_board(config, suite), config.leaderboards
    )
    assert not publication.problems
    publish.publish(publication, config.leaderboards)
    return folder


@pytest.fixture
def published(home, published_template) -> Path:
    """Return the folder of published boards in `home`, with the suite finished and published."""
    for name in ("results", "leaderboards"):
        shutil.copytree(published_template / name, home / name, dirs_exist_ok=True)
    return home / "leaderboards"


def make_profile(evaluation, name="Example CPU", *, reason="", finished="2025", **changes):
    """Return a profile of an evaluation, with 2 ms to labels at a batch of 1 and 4 ms at 24."""
    hardware = Hardware("cpu", name, 1, 2)
    spec = method.profile_spec(evaluation, [1, 8, 8], 11, hardware)
    profile = records.Profile(
        key=digest(spec),
        spec=spec,
        labels=evaluation.labels,
        tests=[method.reading_conditions(evaluation.spec, evaluation.training.spec)],
        hardware=hardware.line,
        parameters=records.Parameters(total=1234, trainable=1200),
        macs=7_204_192,
        weights=None,
        latencies=[
            records.Latency(batch, decoded, p50, 2 * p50, not reason, reason, [p50])
            for batch, decoded, p50 in ((1, False, 1), (1, True, 2), (24, False, 3), (24, True, 4))
        ],
        provenance=replace(ORIGIN, finished=finished),
    )
    return replace(profile, **changes)


def keep_profiles(store: Store, trials, name: str = "Example CPU", **changes) -> None:
    """Write a profile of every entry, which applies to all test sets."""
    for trial in {trial.entry: trial for trial in trials}.values():
        evaluations = [*trial.evaluations.values()]
        conditions = [
            method.reading_conditions(each.spec, each.training.spec) for each in evaluations
        ]
        store.keep(make_profile(evaluations[0], name, tests=conditions, **changes))


@pytest.fixture
def profile_all(store, trials) -> Callable[..., None]:
    """Return `keep_profiles` for the trials in `home`."""
    return partial(keep_profiles, store, trials)
