from __future__ import annotations

import pickle
from dataclasses import dataclass, replace
from functools import partial
from typing import ClassVar

import pytest
import torch
from toy_training import RECIPE, finish, make_trainer

import bench
from bench.config.recipe import Resources
from bench.core.components import FrameModel
from bench.core.types import FeatureDims, InputKind
from bench.losses.ce import CE
from bench.losses.cr_ctc import CRCTC
from bench.losses.ctc import CTC
from bench.losses.prior_ctc import PriorCTC
from bench.models.cnn_attention import CnnAttention
from bench.models.cnn_bilstm import CnnBiLSTM
from bench.nn.frames import PerFrame
from bench.training.checkpoint import Checkpoint
from bench.training.trainer import DivergedError
from bench.trials.events import Progress

CNN = CnnBiLSTM(width=2, hidden=4)


def run_with_stops(model, loss, recipe, file, stops):
    """Train, leave the training after the steps `stops` as a kill would, and resume it."""
    resources = Resources(checkpoint_every="2 steps", log_every="1 step")
    kept = Checkpoint(file, ("training/trainer.py",))
    make = partial(make_trainer, model, loss, recipe, resources=resources, save=kept.save)
    for stop in stops:
        trainer = resumed(make(), kept)
        for event in trainer.run():
            if isinstance(event, Progress) and event.step == stop:
                break
        # Another process has another random state.
        torch.manual_seed(stop)
    last = resumed(make(), kept)
    # The checkpoint of a step is written after its progress is reported.
    assert last.done == (max(stops) - 1) // 2 * 2
    return finish(last)


def resumed(trainer, kept):
    if state := kept.load():
        trainer.restore(state)
    return trainer


def assert_the_same_bits(model, loss, recipe, file, stops):
    stopped = run_with_stops(model, loss, recipe, file, stops)
    whole = finish(make_trainer(model, loss, recipe))
    assert stopped.curve == whole.curve
    assert stopped.selected_step == whole.selected_step
    for one, other in (
        (stopped.weights, whole.weights),
        (stopped.last_weights, whole.last_weights),
        (stopped.step.network.state_dict(), whole.step.network.state_dict()),
    ):
        assert one.keys() == other.keys()
        assert all(torch.equal(value, other[name]) for name, value in one.items())
    return whole


@pytest.mark.parametrize(
    "changes",
    [
        {"schedule": "constant"},
        {"schedule": "one-cycle"},
        {"schedule": "multi-step", "milestones": (1, 3), "decay": 0.5},
    ],
    ids=lambda changes: changes["schedule"],
)
def test_an_interrupted_training_ends_in_the_bits_of_an_uninterrupted_one(tmp_path, changes):
    recipe = replace(RECIPE, epochs=4, optimizer="adamw", **changes)
    assert_the_same_bits(CNN, CTC(), recipe, tmp_path / "checkpoint.pt", [1, 3, 4, 8, 17])


@dataclass(frozen=True)
class Dropping(FrameModel):
    """A layer with dropout."""

    name: ClassVar[str] = "dropping"
    accepts: ClassVar[InputKind] = "frames"

    def build(self, shape):
        pixels = shape.channels * shape.height * shape.width
        layers = torch.nn.Flatten(), torch.nn.Dropout(0.3), torch.nn.Linear(pixels, 8)
        return PerFrame(torch.nn.Sequential(*layers), FeatureDims(8))


@pytest.mark.parametrize(
    ("model", "loss", "changes", "stops"),
    [
        (CNN, PriorCTC(), {}, [3, 7, 12]),
        (CNN, CRCTC(masks=1), {"validate_every": "2 steps"}, [3, 7, 12]),
        (
            CnnAttention(width=2, hidden=4, max_length=4),
            CE(teacher_forcing=0.5),
            {"precision": "bf16", "accumulate": 3, "warmup": 1.5, "betas": (0.5, 0.9)},
            [3, 5],
        ),
        (Dropping(), CTC(), {"epochs": 9, "learning_rate": 1e-9, "patience": 2}, [2, 8, 13]),
    ],
    ids=["priors", "augmented views", "teacher forcing, half precision", "dropout, patience"],
)
def test_so_does_one_that_draws_or_has_a_state(tmp_path, model, loss, changes, stops):
    recipe = replace(RECIPE, **{"epochs": 3, **changes})
    assert_the_same_bits(model, loss, recipe, tmp_path / "checkpoint.pt", stops)


@pytest.mark.parametrize(
    ("every", "steps"),
    [
        ("3600 seconds", []),
        ("0 seconds", [*range(1, 10)]),
        ("4 steps", [4, 8]),
        ("1 epoch", [5]),
    ],
)
def test_a_state_is_saved_at_its_interval_and_not_at_the_end(every, steps):
    states = []
    resources = Resources(checkpoint_every=every)
    finish(make_trainer(CNN, CTC(), RECIPE, resources=resources, save=states.append))
    assert [state["done"] for state in states] == steps


def test_weights_that_diverged_are_not_saved():
    states = []
    resources = Resources(checkpoint_every="1 step", log_every="1 epoch")
    trainer = make_trainer(CNN, CTC(), RECIPE, resources=resources, save=states.append)
    with torch.no_grad():
        trainer.step.network.head.weight.fill_(torch.nan)
    with pytest.raises(DivergedError):
        finish(trainer)
    assert states == []


@pytest.mark.parametrize("state", [{}, {"network": {}}], ids=["empty", "other weights"])
def test_what_does_not_fit_the_network_is_an_error(state):
    with pytest.raises((RuntimeError, KeyError, ValueError)):
        make_trainer(CNN, CTC()).restore(state)


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
def test_a_file_that_is_no_checkpoint_is_ignored(tmp_path, content):
    file = tmp_path / "checkpoint.pt"
    file.write_bytes(content)
    assert Checkpoint(file, ()).load() is None


def test_a_missing_file_is_no_checkpoint(tmp_path):
    assert Checkpoint(tmp_path / "checkpoint.pt", ()).load() is None


def test_a_trap_inside_a_real_archive_is_not_executed(tmp_path):
    torch.save({"code": Trap()}, tmp_path / "checkpoint.pt")
    assert Checkpoint(tmp_path / "checkpoint.pt", ()).load() is None


@pytest.mark.parametrize(
    ("edited", "ignored"),
    [
        ("def f(a):\n    return a + 2\n", True),
        (
            '"""Another text."""\n\ndef f(a):\n    """Help."""\n    # Why.\n    return a + 1\n',
            False,
        ),
    ],
    ids=["code", "texts and comments"],
)
def test_a_checkpoint_of_other_code_is_ignored(tmp_path, monkeypatch, edited, ignored):
    kept = Checkpoint(tmp_path / "checkpoint.pt", ("sum.py",))
    for folder, code in (("one", "def f(a):\n    return a + 1\n"), ("other", edited)):
        package = tmp_path / folder
        package.mkdir()
        (package / "__init__.py").write_text("")
        (package / "sum.py").write_text(code)
    monkeypatch.setattr(bench, "__file__", str(tmp_path / "one" / "__init__.py"))
    kept.save({"curve": []})
    assert kept.load()["curve"] == []
    monkeypatch.setattr(bench, "__file__", str(tmp_path / "other" / "__init__.py"))
    assert (kept.load() is None) == ignored
