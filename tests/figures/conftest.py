"""Three small finished trials, each of another kind, and copies of them that a test may spoil."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from bench.figures.finished_trial import FinishedTrial
from bench.tasks.trial import run_trial

from bench import synthetic
from bench.config import bench_toml as config
from bench.core import documents
from bench.data.datasets.iam import IAM
from bench.data.store import data_dir as home
from bench.evaluation import predictions
from bench.trials import grid
from bench.trials.store import PREDICTIONS, RECORD, Record, Store, read, write

SUITES = """\
[suite.sphere]
protocol = "digits"
datasets = [{ name = "seq-digits", digits = 2, rounds = 1 }]
models = [{ name = "lenetpp", width = 2, batch_norm = true }]
losses = ["radial-ctc"]
training = { epochs = 2, batch_size = 64, learning_rate = 0.01 }

[suite.lines]
protocol = "htr-iam"
datasets = [{ name = "iam", synthetic = true, height = 16 }]
models = [{ name = "htr-ctc", width = 2, features = 4, hidden = 4 }]
losses = ["ctc"]
training = { epochs = 1, batch_size = 2, learning_rate = 0.01 }

[suite.looks]
protocol = "htr-iam"
datasets = [{ name = "iam", synthetic = true, height = 16 }]
models = [{ name = "htr-seq2seq-light", width = 2, features = 4, hidden = 4, max_length = 60 }]
losses = ["ce"]
training = { epochs = 1, batch_size = 2, learning_rate = 0.01 }
"""


@pytest.fixture(scope="session")
def finished(tmp_path_factory) -> Path:
    """Return a folder with bench.toml, prepared data and the records of its three suites."""
    folder = tmp_path_factory.mktemp("finished")
    (folder / "bench.toml").write_text(SUITES)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(home.VARIABLE, str(folder / "data"))
        synthetic.generate("iam", folder / "source", 8)
        IAM(synthetic=True).prepare(folder / "source", lambda *_: None)
        settings = config.load(folder / "bench.toml")
        for name in settings.tables:
            [trial] = grid.trials(settings.suite(name))
            *_, last = run_trial(trial, Store(folder / "results"))
            assert type(last).__name__ == "Finished", last
    return folder


@pytest.fixture
def trial(finished, monkeypatch) -> Callable[[str], FinishedTrial]:
    """Return a function that makes the trial of a loss again."""
    monkeypatch.setenv(home.VARIABLE, str(finished / "data"))

    def made(loss: str) -> FinishedTrial:
        [file] = finished.glob(f"results/*/*/{loss}/*/{RECORD}")
        return FinishedTrial(file.parent, read(file, Record))

    return made


@pytest.fixture
def copied(trial, tmp_path) -> Callable[..., FinishedTrial]:
    """Return a function that makes a trial again from a copy, its spec or predictions changed."""

    def made(name: str, rows: Callable[[list], list] | None = None, **spec) -> FinishedTrial:
        found = trial(name)
        folder = tmp_path / "results/a/b" / name / found.folder.name
        shutil.copytree(found.folder, folder)
        record = replace(found.record, spec=found.record.spec | spec)
        if rows:
            table = predictions.pa.Table.from_pylist(rows(found.rows), schema=predictions.SCHEMA)
            told = documents.write_bytes(folder / PREDICTIONS, predictions.to_bytes(table))
            record = replace(record, files=record.files | {PREDICTIONS: told})
        write(folder / RECORD, record)
        return FinishedTrial(folder, record)

    return made
