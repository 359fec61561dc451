"""What a recipe makes of training."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import ClassVar

import pytest
import torch
from toy_training import RECIPE, ToyBatches, ToyPipeline, finish, make_trainer

from bench.config.recipe import Resources
from bench.core.components import FrameModel
from bench.core.types import FeatureDims, InputKind
from bench.losses.ctc import CTC
from bench.losses.prior_ctc import PriorCTC
from bench.models.cnn_bilstm import CnnBiLSTM
from bench.nn.frames import PerFrame
from bench.training.trainer import DivergedError
from bench.trials.events import Progress, Validated


@dataclass(frozen=True)
class Linear(FrameModel):
    """One layer, which looks at no other sample of its batch."""

    name: ClassVar[str] = "linear"
    accepts: ClassVar[InputKind] = "frames"

    def build(self, shape):
        pixels = shape.channels * shape.height * shape.width
        layers = torch.nn.Flatten(), torch.nn.Linear(pixels, 8)
        return PerFrame(torch.nn.Sequential(*layers), FeatureDims(8))


LINEAR, CNN = Linear(), CnnBiLSTM(width=2, hidden=4)


def trained(model=LINEAR, loss=None, *, resources=None, pipeline=None, device="cpu", **recipe):
    """Return a trainer that has run to its end."""
    recipe, doors = replace(RECIPE, **recipe), {"pipeline": pipeline, "device": device}
    return finish(make_trainer(model, loss or CTC(), recipe, resources=resources, **doors))


def assert_equal_weights(one, other):
    assert one.keys() == other.keys()
    assert all(torch.equal(value, other[name]) for name, value in one.items())


@pytest.mark.parametrize(
    ("whole", "part", "accumulate"),
    [(32, 8, 4), (20, 5, 4)],
    ids=["a smaller group is the last", "a group of fewer batches is the last"],
)
def test_accumulated_batches_make_the_update_of_a_larger_one(whole, part, accumulate):
    more = {"schedule": "one-cycle", "optimizer": "sgd", "gradient_clip": 3.0}
    large = trained(batch_size=whole, **more)
    small = trained(batch_size=part, accumulate=accumulate, **more)
    rates = [[point.learning_rate for point in one.curve] for one in (large, small)]
    assert rates[0] == rates[1]
    for name, weight in large.weights.items():
        torch.testing.assert_close(small.weights[name], weight, msg=name)
    alone = trained(batch_size=part, **more)
    assert not torch.equal(alone.weights["head.weight"], small.weights["head.weight"])


def test_training_lowers_loss_and_label_error_rate():
    curve = trained(CNN, epochs=12, learning_rate=0.02).curve
    assert curve[-1].loss < curve[0].loss / 2
    assert curve[-1].validation_ler < curve[0].validation_ler / 2


def test_half_precision_trains_weights_of_single_precision():
    whole, half = trained(CNN), trained(CNN, precision="bf16")
    assert not torch.equal(half.weights["head.weight"], whole.weights["head.weight"])
    assert {weight.dtype for weight in half.weights.values()} == {torch.float32, torch.int64}
    for one, other in zip(half.curve, whole.curve, strict=True):
        assert one.loss == pytest.approx(other.loss, rel=0.02)


@pytest.mark.gpu
@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_a_gpu_trains_in_half_precision(precision):
    model = CnnBiLSTM(width=4, hidden=8)
    more = {"epochs": 3, "accumulate": 2, "gradient_clip": 5.0, "device": "cuda"}
    half = trained(model, precision=precision, **more)
    assert half.curve[-1].loss < half.curve[0].loss
    assert {weight.device.type for weight in half.weights.values()} == {"cpu"}
    whole = trained(model, **more)
    assert half.curve[0].loss == pytest.approx(whole.curve[0].loss, rel=0.02)


def test_infeasible_samples_are_counted_and_train_on():
    clips, expected = ToyPipeline(pause=0), 0
    for number in range(72):
        clip, labels = clips.sample("train", number)
        repeats = sum(one == other for one, other in pairwise(labels))
        expected += len(clip) // 2 < len(labels) + repeats

    @dataclass(frozen=True)
    class Halved(ToyPipeline):
        """Every second frame of the clips without pauses."""

        def batches(self, split, size, *, seed=0, epoch=0):
            return HalvedBatches(
                *vars(super().batches(split, size, seed=seed, epoch=epoch)).values()
            )

    curve = trained(pipeline=Halved(pause=0)).curve
    assert 0 < expected < 72
    assert [point.infeasible for point in curve] == [expected, expected]
    assert [point.infeasible for point in trained().curve] == [0, 0]


class HalvedBatches(ToyBatches):
    """Batches of every second frame."""

    def __getitem__(self, index):
        batch = super().__getitem__(index)
        return batch._replace(inputs=batch.inputs[:, ::2], lengths=batch.lengths // 2)


@pytest.fixture
def make():
    """Return a function that makes a trainer whose validation label error rates are given."""

    def make(percentages, **recipe):
        rates = iter([percentage / 100 for percentage in percentages])
        recipe = replace(
            RECIPE, **{"batch_size": 100, "epochs": 0 if "steps" in recipe else 2, **recipe}
        )
        return make_trainer(LINEAR, CTC(), recipe, validate=lambda: next(rates))

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
def test_training_ends_once_patience_does(make, patience, percentages, best, select):
    trainer = make([*percentages, 1, 1], epochs=8, patience=patience, select=select)
    validated = [event for event in trainer.run() if isinstance(event, Validated)]
    rates = [percentage / 100 for percentage in percentages]
    assert [point.validation_ler for point in trainer.curve] == rates
    assert [(event.number, event.ler) for event in validated] == [*enumerate(rates, 1)]
    lowest = [min(rates[: number + 1]) for number in range(len(rates))]
    assert [event.selected for event in validated] == (lowest if select == "best" else rates)
    assert trainer.selected_step == (best if select == "best" else len(percentages))
    earlier = trainer.selected_step < len(percentages)
    assert trainer.last_weights.keys() == (trainer.weights.keys() if earlier else set())
    for name, value in trainer.last_weights.items():
        assert torch.equal(value, trainer.step.network.state_dict()[name])


def test_a_finished_training_that_is_restored_runs_no_step(make):
    trainer = finish(make([90, 90, 90], epochs=8, patience=2))
    again = make([1], epochs=8, patience=2)
    again.restore(trainer.state())
    assert list(again.run()) == []
    assert again.curve == trainer.curve


def test_progress_is_a_share_of_the_most_steps_there_can_be(make):
    events = [e for e in make([90, 80, 85], epochs=8, patience=1).run() if isinstance(e, Progress)]
    assert [event.fraction for event in events[:2]] == [1 / 8, 2 / 8]
    assert [event.validation_ler for event in events[:2]] == [None, 0.9]
    assert {event.steps for event in events} == {8}
    assert [event.epoch for event in events[:2]] == [1, 2]


def test_validations_within_an_epoch_select_and_exhaust_patience(make):
    more = {"validate_every": "2 steps", "patience": 2, "batch_size": 10}
    trainer = make([90, 80, 85, 82, 10], steps=50, **more)
    finish(trainer)
    assert [(point.step, point.epoch) for point in trainer.curve] == [
        (2, 0.25),
        (4, 0.5),
        (6, 0.75),
        (8, 1.0),
    ]
    assert (trainer.selected_step, trainer.done) == (4, 8)


def test_a_length_in_steps_equals_one_in_epochs():
    assert trained(CNN, epochs=2).curve == trained(CNN, epochs=0, steps=10).curve
    partial = trained(CNN, epochs=0, steps=7)
    assert [(point.step, point.epoch) for point in partial.curve] == [(5, 1.0), (7, 1.4)]


def test_progress_is_reported_at_its_interval():
    resources = Resources(log_every="2 steps")
    trainer = make_trainer(LINEAR, CTC(), replace(RECIPE, epochs=2), resources=resources)
    steps = [event.step for event in trainer.run() if isinstance(event, Progress)]
    assert steps == [2, 4, 5, 6, 8, 10]


@pytest.mark.parametrize("every", ["1 epoch", "1 step"])
def test_the_loss_of_a_point_is_the_mean_since_the_last(every):
    resources = Resources(log_every="1 step")
    recipe = replace(RECIPE, epochs=2, validate_every=every)
    trainer = make_trainer(CNN, CTC(), recipe, resources=resources)
    losses = []
    trainer.step.register_forward_hook(lambda *call: losses.append(call[2].loss.item()))
    finish(trainer)
    means = [sum(losses[:5]) / 5, sum(losses[5:]) / 5] if every == "1 epoch" else losses
    assert [point.loss for point in trainer.curve] == means


def test_a_loss_that_is_no_number_names_its_samples(make):
    trainer = make([90, 90], epochs=2)
    with torch.no_grad():
        trainer.step.network.head.weight.fill_(torch.nan)
    sentence = (
        r"the loss became nan in epoch 1, on samples (train-\d+, ){4}train-\d+ and \d+ more; "
    )
    with pytest.raises(DivergedError, match=sentence):
        finish(trainer)


def test_a_validation_within_an_epoch_moves_no_prior():
    resources = Resources(log_every="1 step")
    plain = make_trainer(CNN, PriorCTC(), resources=resources)
    other = make_trainer(CNN, PriorCTC(), replace(RECIPE, validate_every="2 steps"))
    for event in plain.run():
        if isinstance(event, Progress) and event.epoch < 1:
            assert not plain.step.network.head.log_prior.any()
    finish(other)
    assert plain.step.network.head.log_prior.any()
    assert [point.step for point in other.curve] == [2, 4, 6, 8, 10]
    assert other.curve[-1].validation_ler == plain.curve[-1].validation_ler
    assert_equal_weights(other.step.network.state_dict(), plain.step.network.state_dict())


def test_prefetching_changes_no_bit():
    alone, ahead = trained(CNN), trained(CNN, resources=Resources(workers=2))
    assert ahead.curve == alone.curve
    assert_equal_weights(ahead.weights, alone.weights)
