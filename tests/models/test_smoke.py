"""Every model learns on a small suite of its kind: rendered, prepared and trained from nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from running import finish

from bench import synthetic
from bench.config import bench_toml
from bench.core import registry
from bench.core.components import Loss, Model
from bench.data.store import data_dir
from bench.losses.ce import CE
from bench.losses.ctc import CTC
from bench.models.abinet_vision import AbinetVision
from bench.models.cnn_attention import CnnAttention
from bench.models.cnn_bilstm import CnnBiLSTM
from bench.models.crnn_small import CrnnSmall
from bench.models.svtr_tiny import SvtrTiny
from bench.models.vgg_bilstm import VggBiLSTM
from bench.trials import grid
from bench.trials.store import Store

BENCH = Path(__file__).parents[2] / "bench.toml"


@dataclass(frozen=True)
class Smoke:
    """What to render for a suite, and narrow models that it does not list, each with a loss."""

    samples: dict[str, int]
    unlisted: tuple[tuple[Model, Loss], ...] = ()


SUITES = {
    "seq-mnist-smoke": Smoke(
        {"seq-mnist": 2000},
        ((CnnBiLSTM(width=4, hidden=16), CTC()), (CnnAttention(width=4, hidden=16), CE())),
    ),
    "scene-text-smoke": Smoke(
        {"synth90k": 2000, "iiit5k": 300},
        (
            (SvtrTiny(heads=1), CTC()),
            (AbinetVision(width=2, layers=1), CE()),
            (CrnnSmall(width=8, hidden=32), CTC()),
            (VggBiLSTM(width=8, hidden=32), CTC()),
        ),
    ),
    "handwriting-smoke": Smoke({"iam": 150}),
    "sign-language-smoke": Smoke({"phoenix14": 60}),
}


def load(name):
    return bench_toml.load(BENCH).suite(name)


def test_every_model_is_in_one_of_them():
    names = {entry.model.name for name in SUITES for entry in load(name).entries}
    names |= {model.name for smoke in SUITES.values() for model, _ in smoke.unlisted}
    assert names == {*registry.everything("model")}


@pytest.mark.slow
@pytest.mark.parametrize("name", SUITES)
def test_every_loss_falls(name, tmp_path, monkeypatch):
    smoke, suite = SUITES[name], load(name)
    monkeypatch.setenv(data_dir.VARIABLE, str(tmp_path / "data"))
    datasets = {column.test.name: column.test for column in suite.columns}
    assert datasets.keys() == smoke.samples.keys()
    for dataset, count in smoke.samples.items():
        synthetic.generate_dataset(dataset, tmp_path / dataset, count)
        datasets[dataset].prepare(tmp_path / dataset, lambda *_: None)
    listed = [task for task in grid.tasks(grid.trials(suite)) if task.kind == "training"]
    unlisted = [
        replace(listed[0], model=model, input=model.default_input, loss=loss)
        for model, loss in smoke.unlisted
    ]
    store, curves = Store(tmp_path / "results"), {}
    for training in (*listed, *unlisted):
        curve = [epoch.loss for epoch in finish(training, store).curve]
        curves[training.model.label, training.loss.name] = curve
    assert all(curve[-1] < curve[0] for curve in curves.values()), curves
