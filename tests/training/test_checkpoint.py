from __future__ import annotations

import pickle
from dataclasses import asdict, dataclass, replace
from typing import ClassVar

import pytest
import torch

import bench
from bench.core.components import FrameModel
from bench.core.types import FeatureDims, InputKind
from bench.losses.ce import CE
from bench.losses.cr_ctc import CRCTC
from bench.losses.prior_ctc import PriorCTC
from bench.models.cnn_attention import CnnAttention
from bench.nn.frames import PerFrame
from bench.tasks.trial import run_trial
from bench.training import checkpoint
from bench.trials.events import Finished, Progress, Resumed
from bench.trials.store import CHECKPOINT, PREDICTIONS, WEIGHTS, Store


@pytest.fixture(
    params=[
        {"schedule": "constant"},
        {"schedule": "one-cycle"},
        {"schedule": "multi-step", "milestones": (1, 3), "decay": 0.5},
    ],
    ids=lambda changes: changes["schedule"],
)
def trial(trials, request):
    """Return a trial of four epochs that is saved after each."""
    recipe = replace(trials[0].training, epochs=4, optimizer="adamw", **request.param)
    resources = replace(trials[0].resources, checkpoint_every=0.0)
    return replace(trials[0], training=recipe, resources=resources)


def stop_in(trial, store, epoch):
    """Run `trial` until it is in `epoch`, then leave it as a kill would."""
    for event in run_trial(trial, store):
        if isinstance(event, Progress) and event.epoch == epoch:
            return


def numbers(record):
    kept = asdict(record)
    del kept["timings"], kept["provenance"]
    return kept


def assert_the_same_bits(trial, store, whole, stops):
    """Run `trial` in one go and with stops in some epochs; both have to end alike."""
    assert isinstance(list(run_trial(trial, whole))[-1], Finished)
    for epoch in stops:
        stop_in(trial, store, epoch)
        torch.manual_seed(epoch)
    events = list(run_trial(trial, store))
    resumed = [event.epoch for event in events if isinstance(event, Resumed)]
    assert resumed == ([stops[-1] - 1] if stops[-1] > 1 else [])
    assert numbers(store.record(trial)) == numbers(whole.record(trial))
    for name in (PREDICTIONS, WEIGHTS):
        assert (store.folder(trial) / name).read_bytes() == (
            whole.folder(trial) / name
        ).read_bytes()
    assert not (store.folder(trial) / CHECKPOINT).exists()


def test_an_interrupted_trial_ends_in_the_bits_of_an_uninterrupted_one(trial, store, tmp_path):
    assert_the_same_bits(trial, store, Store(tmp_path / "whole"), [1, 2, 4])


@dataclass(frozen=True)
class Dropping(FrameModel):
    """A layer that forgets some of its pixels."""

    name: ClassVar[str] = "dropping"
    accepts: ClassVar[InputKind] = "frames"

    def build(self, shape):
        pixels = shape.channels * shape.height * shape.width
        layers = torch.nn.Flatten(), torch.nn.Dropout(0.3), torch.nn.Linear(pixels, 8)
        return PerFrame(torch.nn.Sequential(*layers), FeatureDims(8))


@pytest.mark.parametrize(
    ("changes", "recipe"),
    [
        ({"loss": PriorCTC()}, {}),
        ({"loss": CRCTC()}, {}),
        (
            {
                "loss": CE(teacher_forcing=0.5),
                "model": CnnAttention(width=2, hidden=4, max_length=3),
            },
            {"precision": "bf16", "accumulate": 3, "warmup": 1.5, "betas": (0.5, 0.9)},
        ),
        ({"model": Dropping()}, {"epochs": 9, "learning_rate": 1e-9, "patience": 2}),
    ],
    ids=["a state", "views", "a teacher, in half precision", "dropout, until patience ends"],
)
def test_so_does_one_that_draws_or_has_a_state(trials, store, tmp_path, changes, recipe):
    recipe = replace(trials[0].training, **{"epochs": 3, "batch_size": 100, **recipe})
    resources = replace(trials[0].resources, checkpoint_every=0.0)
    trial = replace(trials[0], training=recipe, resources=resources, **changes)
    assert_the_same_bits(trial, store, Store(tmp_path / "whole"), [2, 3])
    assert len(store.record(trial).curve) == 3


def test_nothing_is_saved_before_its_time(trial, store):
    rare = replace(trial, resources=replace(trial.resources, checkpoint_every=3600.0))
    stop_in(rare, store, 4)
    assert not (store.folder(rare) / CHECKPOINT).exists()


class Trap:
    """Runs code where it is unpickled."""

    def __reduce__(self):
        return exec, ("raise SystemExit('executed')",)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no checkpoint",
        pickle.dumps(Trap(), protocol=2),
        pickle.dumps({"code": 1}, protocol=2),
    ],
    ids=["empty", "text", "trap", "pickle"],
)
def test_what_is_no_checkpoint_is_as_good_as_none(tmp_path, content):
    file = tmp_path / CHECKPOINT
    file.write_bytes(content)
    assert checkpoint.load(file) is None


def test_a_trap_inside_a_real_archive_is_not_executed(tmp_path):
    torch.save({"code": Trap()}, tmp_path / CHECKPOINT)
    assert checkpoint.load(tmp_path / CHECKPOINT) is None


def test_a_checkpoint_that_does_not_fit_is_named(trials, store):
    folder = store.begin(trials[0])
    checkpoint.save(folder / CHECKPOINT, {"network": {}})
    *_, last = run_trial(trials[0], store)
    assert last.failure.cause == "configuration"
    assert f"{folder / CHECKPOINT}: this checkpoint does not fit" in last.failure.message


def test_other_code_begins_anew(tmp_path, monkeypatch):
    file = tmp_path / CHECKPOINT
    checkpoint.save(file, {"curve": []})
    assert checkpoint.load(file)["curve"] == []
    package = tmp_path / "bench"
    package.mkdir()
    (package / "__init__.py").write_text("changed = True")
    monkeypatch.setattr(bench, "__file__", str(package / "__init__.py"))
    assert checkpoint.load(file) is None
