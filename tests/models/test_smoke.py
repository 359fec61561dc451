"""Every model learns on a small suite of its kind: rendered, prepared and trained from nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from bench.tasks.trial import run_trial

from bench import synthetic
from bench.config import bench_toml as config
from bench.core import registry
from bench.core.components import Loss, Model
from bench.data.store import data_dir as home
from bench.losses.ce import CE
from bench.losses.ctc import CTC
from bench.models.abinet_vision import AbinetVision
from bench.models.cnn_attention import CnnAttention
from bench.models.cnn_bilstm import CnnBiLSTM
from bench.models.svtr_tiny import SvtrTiny
from bench.trials import grid
from bench.trials.events import Finished
from bench.trials.store import Store

BENCH = Path(__file__).parents[2] / "bench.toml"


@dataclass(frozen=True)
class Smoke:
    """What to render for a suite, and narrow models that it does not list, each with a loss."""

    dataset: str
    count: int
    beside: tuple[tuple[Model, Loss], ...] = ()


SUITES = {
    "seq-mnist-smoke": Smoke(
        "seq-mnist",
        2000,
        ((CnnBiLSTM(width=4, hidden=16), CTC()), (CnnAttention(width=4, hidden=16), CE())),
    ),
    "scene-text-smoke": Smoke(
        "synth90k",
        2000,
        ((SvtrTiny(heads=1), CTC()), (AbinetVision(width=2, layers=1), CE())),
    ),
    "handwriting-smoke": Smoke("iam", 150),
    "sign-language-smoke": Smoke("phoenix14", 60),
}


def suite(name):
    return config.load(BENCH).suite(name)


def test_every_model_is_in_one_of_them():
    found = {model.name for name in SUITES for model in suite(name).models}
    found |= {model.name for smoke in SUITES.values() for model, _ in smoke.beside}
    assert found == {*registry.everything("model")}


@pytest.mark.slow
@pytest.mark.parametrize("name", SUITES)
def test_every_loss_falls(name, tmp_path, monkeypatch):
    smoke = SUITES[name]
    monkeypatch.setenv(home.VARIABLE, str(tmp_path / "data"))
    synthetic.generate(smoke.dataset, tmp_path / "source", smoke.count)
    suite(name).datasets[0].prepare(tmp_path / "source", lambda *_: None)
    store, fallen = Store(tmp_path / "results"), {}
    listed = grid.trials(suite(name))
    beside = [replace(listed[0], model=model, loss=loss) for model, loss in smoke.beside]
    for trial in (*listed, *beside):
        *_, last = run_trial(trial, store)
        assert isinstance(last, Finished), last
        curve = [epoch.loss for epoch in store.record(trial).curve]
        fallen[trial.model.label, trial.loss.name] = curve[-1] < curve[0], curve
    assert all(falls for falls, _ in fallen.values()), fallen
