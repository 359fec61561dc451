from __future__ import annotations

from dataclasses import dataclass

import pytest
import torch
from toy_training import ToyPipeline

from bench.core.errors import BenchError
from bench.core.types import Targets
from bench.losses.ce import CE
from bench.losses.conclr import ConCLR
from bench.losses.cr_ctc import CRCTC
from bench.losses.ctc import CTC
from bench.losses.prior_ctc import PriorCTC
from bench.losses.radial_ctc import RadialCTC
from bench.models.cnn_attention import CnnAttention
from bench.models.cnn_bilstm import CnnBiLSTM
from bench.recognizers.networks import network as recognizer
from bench.training.step import TrainingStep

FRAMES = CnnBiLSTM(width=2, hidden=4)
PIPELINE = ToyPipeline()


def step_of(loss, model=FRAMES, precision="float32"):
    torch.manual_seed(0)
    network = recognizer.build_network(
        model, loss, PIPELINE.input_shape, len(PIPELINE.vocabulary) + 1
    )
    return TrainingStep(network, loss, precision)


def batch_of(size=8):
    return PIPELINE.batches("train", size)[0]


@pytest.mark.parametrize("loss", [CTC(), RadialCTC(), PriorCTC()], ids=lambda loss: loss.name)
def test_it_is_the_objective_of_the_features_of_the_model(loss):
    step, batch = step_of(loss), batch_of()
    features, lengths = step.network.model(batch.inputs, batch.lengths)
    targets = Targets(lengths, batch.targets, batch.target_lengths)
    expected = loss.objective(step.network.head, features, targets)
    output = step(batch)
    assert output.loss.item() == expected.item()
    assert output.loss.shape == ()
    assert output.infeasible == 0


def test_an_objective_of_many_values_is_refused():
    @dataclass(frozen=True)
    class PerSample(CTC):
        name = "per-sample"

        def objective(self, head, features, targets):
            return super().objective(head, features, targets).expand(8)

    with pytest.raises(
        BenchError, match=r"objective of per-sample has the shape \(8,\); return one"
    ):
        step_of(PerSample())(batch_of())


def test_it_draws_the_augmented_views_of_the_batch():
    loss = CRCTC(masks=1)
    step, batch = step_of(loss), batch_of()
    torch.manual_seed(3)
    views = loss.augmented_views(batch)
    features, lengths = step.network.model(views.inputs, views.lengths)
    targets = Targets(lengths, views.targets, views.target_lengths)
    expected = loss.objective(step.network.head, features, targets)
    torch.manual_seed(3)
    assert step(batch).loss.item() == expected.item()
    assert step(batch).loss.item() != expected.item()


@pytest.mark.parametrize(
    ("loss", "model"),
    [
        (CTC(), FRAMES),
        (CRCTC(), FRAMES),
        (CE(), CnnAttention(width=2, hidden=4, max_length=2)),
        (ConCLR(), CnnAttention(width=2, hidden=4, max_length=2)),
    ],
    ids=lambda part: part.name,
)
def test_an_infeasible_sample_counts_once_whatever_views_there_are_of_it(loss, model):
    batch = batch_of(4)
    labels, lengths = torch.tensor([[1, 1, 1], [2, 0, 0], [3, 3, 2], [1, 2, 0]]), [3, 1, 3, 2]
    batch = batch._replace(
        targets=labels,
        target_lengths=torch.tensor(lengths),
        lengths=torch.tensor([4, 4, 4, 4]),
        inputs=batch.inputs[:, :4],
        key_frames=torch.full_like(labels, -1),
    )
    expected = 1 if loss.accepts == "frames" else 2
    assert step_of(loss, model)(batch).infeasible == expected


@dataclass(frozen=True)
class Watching(CTC):
    """CTC that requires float32."""

    def objective(self, head, features, targets):
        assert not torch.is_autocast_enabled("cpu")
        assert {features.sequence.dtype, features.visual.dtype} == {torch.float32}
        return super().objective(head, features, targets)


def test_half_precision_is_the_network_s_alone():
    half, whole = step_of(Watching(), precision="bf16"), step_of(Watching())
    one, other = half(batch_of()).loss, whole(batch_of()).loss
    assert one.dtype == torch.float32
    assert one.item() != other.item()
    assert one.item() == pytest.approx(other.item(), rel=0.02)


def test_a_classifier_that_feeds_itself_learns_under_half_precision():
    # What a graph without gradients reads first may be all that autocast keeps of a weight.
    step = step_of(CE(teacher_forcing=0.0), CnnAttention(hidden=4), "bf16")
    step(batch_of()).loss.backward()
    assert all(weight.grad.any() for weight in step.network.head.parameters())


def test_the_weights_are_those_of_the_network():
    step = step_of(PriorCTC())
    names = {name.removeprefix("network.") for name in step.state_dict()}
    assert names == {*step.network.state_dict()}


def test_the_end_of_an_epoch_is_the_loss_s_to_use():
    step = step_of(PriorCTC())
    for number in range(2):
        step.train()
        step(PIPELINE.batches("train", 8)[number])
        # A validation within the epoch.
        step.eval()
        step(PIPELINE.batches("validation", 8)[0])
        assert not step.network.head.log_prior.any()
    step.end_epoch()
    assert step.network.head.log_prior.exp().sum().item() == pytest.approx(1, abs=1e-4)
    plain = step_of(CTC())
    before = {name: value.clone() for name, value in plain.state_dict().items()}
    plain.end_epoch()
    assert all(torch.equal(value, before[name]) for name, value in plain.state_dict().items())
