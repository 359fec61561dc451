"""What a recipe makes of training."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import pytest
import torch
from safetensors.torch import load_file

from bench.core.components import FrameModel
from bench.core.types import FeatureDims, InputKind
from bench.evaluation.metrics.error_rates import ErrorRates
from bench.losses.ce import CE
from bench.losses.ctc import CTC
from bench.models.cnn_attention import CnnAttention
from bench.models.cnn_bilstm import CnnBiLSTM
from bench.nn.frames import PerFrame
from bench.recognizers import network as recognizer
from bench.tasks.trial import run_trial
from bench.training.trainer import Fit
from bench.trials.events import Failed, Finished, Progress, Validated
from bench.trials.store import WEIGHTS


@dataclass(frozen=True)
class Linear(FrameModel):
    """One layer, which looks at no other sample of its batch."""

    name: ClassVar[str] = "linear"
    accepts: ClassVar[InputKind] = "frames"

    def build(self, shape):
        pixels = shape.channels * shape.height * shape.width
        return PerFrame(
            torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(pixels, 8)), FeatureDims(8)
        )


LINEAR = Linear()


@pytest.fixture
def finish(trials, store):
    """Return a function that trains a trial and gives its record and weights."""

    def finish(model=LINEAR, loss=trials[0].loss, *, workers=0, **recipe):
        trial = replace(
            trials[0],
            model=model,
            loss=loss,
            training=replace(trials[0].training, **recipe),
            resources=replace(trials[0].resources, workers=workers),
        )
        *_, last = run_trial(trial, store)
        assert isinstance(last, Finished), last
        return store.record(trial), load_file(store.folder(trial) / WEIGHTS)

    return finish


@pytest.mark.parametrize(
    ("whole", "part", "accumulate"),
    [(64, 16, 4), (200, 50, 4)],
    ids=["a smaller batch is the last", "a smaller group is the last"],
)
def test_gathered_batches_make_the_step_of_a_larger_one(finish, whole, part, accumulate):
    more = {"epochs": 2, "schedule": "one-cycle", "optimizer": "sgd", "gradient_clip": 3.0}
    large, expected = finish(batch_size=whole, **more)
    small, found = finish(batch_size=part, accumulate=accumulate, **more)
    rates = [[epoch.learning_rate for epoch in record.curve] for record in (large, small)]
    assert rates[0] == rates[1]
    for name, weight in expected.items():
        torch.testing.assert_close(found[name], weight, msg=name)
    alone, _ = finish(batch_size=part, **more)
    assert alone.files[WEIGHTS] != small.files[WEIGHTS]


@dataclass(frozen=True)
class Watching(CTC):
    """CTC that insists on float32."""

    def objective(self, head, features, targets):
        assert not torch.is_autocast_enabled("cpu")
        assert {features.sequence.dtype, features.visual.dtype} == {torch.float32}
        return super().objective(head, features, targets)


def test_half_precision_is_the_network_s_alone(finish):
    model = CnnBiLSTM(width=2, hidden=4)
    whole, _ = finish(model, epochs=2)
    half, weights = finish(model, Watching(), epochs=2, precision="bf16")
    assert half.files[WEIGHTS] != whole.files[WEIGHTS]
    assert {weight.dtype for weight in weights.values()} == {torch.float32, torch.int64}
    for one, other in zip(half.curve, whole.curve, strict=True):
        assert one.loss == pytest.approx(other.loss, rel=0.01)


def test_a_classifier_that_feeds_itself_learns_under_half_precision(trials):
    # What a graph without gradients reads first may be all that autocast keeps of a weight.
    source = trials[0].dataset.build()
    network = recognizer.build(CnnAttention(hidden=4), CE(teacher_forcing=0.0), source)
    loss, _ = network.objective(source.batches("train", 8)[0], "bf16")
    loss.backward()
    assert loss.dtype == torch.float32
    assert all(weight.grad.any() for weight in network.head.parameters())


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_float16_without_a_gpu_is_refused(trials, store):
    recipe = replace(trials[0].training, precision="fp16")
    *_, last = run_trial(replace(trials[0], training=recipe), store)
    assert isinstance(last, Failed)
    assert last.failure.cause == "configuration"
    assert 'set precision = "bf16"' in last.failure.message


@pytest.mark.gpu
@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_a_gpu_trains_in_half_precision(finish, precision):
    model = CnnBiLSTM(width=4, hidden=8)
    more = {"epochs": 3, "accumulate": 2, "gradient_clip": 5.0}
    record, _ = finish(model, precision=precision, **more)
    assert record.provenance.device == "cuda"
    assert record.curve[-1].loss < record.curve[0].loss
    whole, _ = finish(model, **more)
    assert record.curve[0].loss == pytest.approx(whole.curve[0].loss, rel=0.02)


@pytest.fixture
def fit(trials):
    """Return a function that makes a fit whose validation CERs are those percentages."""

    def make(percentages, **recipe):
        recipe = replace(trials[0].training, batch_size=1000, **recipe)
        trial = replace(trials[0], model=LINEAR, training=recipe)
        source = trial.dataset.build()
        network = recognizer.build(trial.model, trial.loss, source)
        scores = (ErrorRates(1, 0, edits, 100, {}) for edits in percentages)
        return Fit(trial, network, source, "cpu", validate=lambda: next(scores), save=bool)

    return make


@pytest.mark.parametrize(
    ("patience", "percentages", "best"),
    [
        (1, [90, 90], 1),
        (2, [90, 90, 90], 1),
        (2, [90, 80, 95, 70, 75, 70], 4),
        (3, [90, 80, 95, 70, 75, 70, 60, 60], 7),
        (0, [90, 90, 90, 90, 90, 90, 90, 90], 1),
    ],
)
@pytest.mark.parametrize("select", ["best", "last"])
def test_training_ends_once_patience_does(fit, patience, percentages, best, select):
    trained = fit([*percentages, 1, 1], epochs=8, patience=patience, select=select)
    said = [event.epoch for event in trained.run() if isinstance(event, Validated)]
    assert [100 * epoch.validation_cer for epoch in trained.curve] == percentages
    assert said == [epoch.epoch for epoch in trained.curve]
    assert trained.selected_epoch == (best if select == "best" else len(percentages))
    earlier = trained.selected_epoch < len(percentages)
    assert trained.last_weights.keys() == (trained.weights.keys() if earlier else set())
    for name, value in trained.last_weights.items():
        assert torch.equal(value, trained.network.state_dict()[name])


def test_what_has_ended_goes_on_no_more(fit):
    trained = fit([90, 90, 90], epochs=8, patience=2)
    list(trained.run())
    again = fit([1], epochs=8, patience=2)
    again.restore(trained.state())
    assert list(again.run()) == []
    assert again.curve == trained.curve


def test_progress_is_a_share_of_the_epochs_that_there_may_be(fit):
    events = fit([90, 90], epochs=8, patience=1).run()
    shares = [event.fraction for event in events if isinstance(event, Progress)]
    assert shares == [1 / 8, 2 / 8]


def test_reading_ahead_moves_no_bit_and_is_recorded(finish):
    model = CnnBiLSTM(width=2, hidden=4)
    alone, _ = finish(model)
    ahead, _ = finish(model, workers=2)
    assert ahead.key == alone.key
    assert (ahead.files, ahead.curve) == (alone.files, alone.curve)
    assert [record.provenance.workers for record in (alone, ahead)] == [0, 2]
