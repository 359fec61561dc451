"""Finished evaluations of three small trainings, and copies that tests may alter."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from bench import synthetic
from bench.config import bench_toml
from bench.core import documents
from bench.data.datasets.iam import IAM
from bench.data.store import data_dir
from bench.diagnostics.finished import FinishedEvaluation, FinishedTraining
from bench.evaluation import predictions
from bench.tasks.task import run_task
from bench.trials import grid
from bench.trials.records import EvaluationRecord
from bench.trials.store import EVALUATION, PREDICTIONS, TRAINING, Store, read, write

SUITES = """\
[suite.sphere]
protocol = "digits"
datasets = [{ name = "seq-digits", digits = 2, rounds = 1 }]
models = [{ name = "lenetpp", width = 2, batch_norm = true }]
losses = ["radial-ctc"]
recipe = { epochs = 2, batch_size = 64, learning_rate = 0.01 }

[suite.lines]
protocol = "htr-iam"
datasets = [{ name = "iam", synthetic = true }]
models = [{ name = "htr-ctc", width = 2, features = 4, hidden = 4, input = { height = 16 } }]
losses = ["ctc"]
recipe = { epochs = 1, batch_size = 2, learning_rate = 0.01 }

[suite.attention]
protocol = "htr-iam"
datasets = [{ name = "iam", synthetic = true }]
losses = ["ce"]
recipe = { epochs = 1, batch_size = 2, learning_rate = 0.01 }

[[suite.attention.models]]
name = "htr-seq2seq-light"
width = 2
features = 4
hidden = 4
max_length = 60
input = { height = 16 }
"""


@pytest.fixture(scope="session")
def finished(tmp_path_factory) -> Path:
    """Return a folder with bench.toml, prepared data and the records of its three suites."""
    folder = tmp_path_factory.mktemp("finished")
    (folder / "bench.toml").write_text(SUITES)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(data_dir.VARIABLE, str(folder / "data"))
        synthetic.generate_dataset("iam", folder / "source", 8)
        IAM(synthetic=True).prepare(folder / "source", lambda *_: None)
        config = bench_toml.load(folder / "bench.toml")
        for name in config.tables:
            for task in grid.tasks(grid.trials(config.suite(name))):
                *_, last = run_task(task, Store(folder / "results"))
                assert type(last).__name__ == "Finished", last
    return folder


@pytest.fixture
def evaluation(finished, monkeypatch) -> Callable[[str], FinishedEvaluation]:
    """Return a function that restores the evaluation of a loss."""
    monkeypatch.setenv(data_dir.VARIABLE, str(finished / "data"))

    def restored(loss: str) -> FinishedEvaluation:
        [file] = finished.glob(f"results/evaluations/*/*/{loss}/*/{EVALUATION}")
        record = read(file, EvaluationRecord)
        training = Store(finished / "results").training(record.training)
        return FinishedEvaluation(file.parent, record, FinishedTraining(*training))

    return restored


@pytest.fixture
def copied(evaluation, tmp_path) -> Callable[..., FinishedEvaluation]:
    """Return a function that restores an evaluation from a copy, with changed specs or rows."""

    def made(
        loss: str,
        rows: Callable[[list], list] | None = None,
        training: dict | None = None,
        **spec,
    ) -> FinishedEvaluation:
        original = evaluation(loss)
        folders = []
        for part in (original, original.training):
            inside = part.folder.relative_to(_results(part.folder))
            folders.append(tmp_path / "results" / inside)
            shutil.copytree(part.folder, folders[-1])
        record = replace(original.record, spec=original.record.spec | spec)
        if rows:
            schema = original.predictions.schema
            table = predictions.pa.Table.from_pylist(rows(original.rows), schema=schema)
            held = predictions.predictions_to_bytes(table)
            digest = documents.write_bytes(folders[0] / PREDICTIONS, held)
            record = replace(record, files=record.files | {PREDICTIONS: digest})
        trained = original.training.record
        trained = replace(trained, spec=trained.spec | (training or {}))
        write(folders[0] / EVALUATION, record)
        write(folders[1] / TRAINING, trained)
        return FinishedEvaluation(folders[0], record, FinishedTraining(folders[1], trained))

    return made


def _results(folder: Path) -> Path:
    return next(parent for parent in folder.parents if parent.name == "results")
