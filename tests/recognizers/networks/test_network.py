"""Recognition networks: a model with the classifier of its loss."""

from __future__ import annotations

import pytest
import torch
from networks import count

from bench.core.types import Batch, InputShape
from bench.losses.ce import CE
from bench.losses.ctc import CTC
from bench.losses.radial_ctc import RadialCTC
from bench.models.cnn_attention import CnnAttention
from bench.models.cnn_bilstm import CnnBiLSTM
from bench.models.cslr_resnet18 import CslrResNet18
from bench.recognizers.networks import network as recognizer
from bench.recognizers.networks.network import FrameRecognitionNetwork, Seq2SeqRecognitionNetwork

SHAPE, CLASSES = InputShape(1, 8, 8), 5
FRAMES = CnnBiLSTM(width=2, hidden=4)
STEPS = CnnAttention(width=2, hidden=4, max_length=4)


def built(model, loss, seed=0):
    torch.manual_seed(seed)
    return recognizer.build_network(model, loss, SHAPE, CLASSES).eval()


def batch(samples=3, frames=12):
    generator = torch.Generator().manual_seed(0)
    targets = torch.randint(1, CLASSES, (samples, 2), generator=generator)
    return Batch(
        torch.rand(samples, frames, *SHAPE, generator=generator),
        torch.tensor([frames, frames - 3, frames - 5])[:samples],
        targets,
        torch.full((samples,), 2),
        torch.full_like(targets, -1),
        tuple(map(str, range(samples))),
    )


@pytest.mark.parametrize("loss", [CTC(), RadialCTC()], ids=lambda loss: loss.name)
def test_logits_of_frames_equal_the_head_on_the_features(loss):
    network, given = built(FRAMES, loss), batch()
    assert isinstance(network, FrameRecognitionNetwork)
    logits, lengths = network(given.inputs, given.lengths)
    features, counts = network.model(given.inputs, given.lengths)
    assert logits.shape == (3, 12, CLASSES)
    assert torch.equal(logits, network.head(features.sequence))
    assert torch.equal(lengths, counts)
    assert torch.equal(network.output_lengths(given.lengths), lengths)


def test_training_features_of_frames_have_the_targets_of_the_batch():
    network, given = built(FRAMES, CTC()), batch()
    features, targets = network.training_features(given, CTC())
    assert features.sequence.shape[:2] == (3, 12)
    assert torch.equal(targets.labels, given.targets)
    assert torch.equal(targets.label_lengths, given.target_lengths)
    assert torch.equal(targets.lengths, given.lengths)


def test_a_network_with_strides_has_fewer_frames():
    network = built(CslrResNet18(width=2, hidden=4), CTC())
    lengths = network.output_lengths(torch.tensor([16, 24]))
    assert (lengths < torch.tensor([16, 24])).all()
    logits, counts = network(torch.rand(2, 24, *SHAPE), torch.tensor([16, 24]))
    assert torch.equal(counts, lengths)
    assert logits.shape[1] == max(lengths)


def test_in_evaluation_the_feedback_is_the_predictions():
    network, given = built(STEPS, CE()), batch()
    assert isinstance(network, Seq2SeqRecognitionNetwork)
    logits, lengths = network(given.inputs, given.lengths)
    classes = logits.argmax(2)
    steps = iter(range(network.model.steps))

    def feedback(features):
        step = next(steps)
        return classes[:, step] if step + 1 < logits.shape[1] else None

    features = network.model(given.inputs, given.lengths, feedback).sequence
    torch.testing.assert_close(network.head(features), logits)
    assert lengths.tolist() == [logits.shape[1]] * 3
    assert logits.shape[1] <= network.model.steps
    assert network.output_lengths(given.lengths).tolist() == [network.model.steps] * 3


def test_in_training_the_loss_chooses_the_feedback():
    network, given = built(STEPS, CE()), batch()
    features, targets = network.training_features(given, CE())
    again = network.model(given.inputs, given.lengths, CE().feedback(network.head, targets))
    assert torch.equal(features.sequence, again.sequence)
    assert features.sequence.shape[1] == given.targets.shape[1] + 1, "the labels and their EOS"


@pytest.mark.parametrize(("model", "loss"), [(FRAMES, CTC()), (STEPS, CE())])
def test_weights_are_drawn_from_the_global_generator(model, loss):
    one, same, other = built(model, loss), built(model, loss), built(model, loss, seed=1)
    state = one.state_dict()
    assert all(torch.equal(value, state[name]) for name, value in same.state_dict().items())
    assert not all(torch.equal(value, state[name]) for name, value in other.state_dict().items())


def test_parameters_are_counted_with_the_classifier():
    network = built(FRAMES, CTC())
    whole = recognizer.count_parameters(network)
    assert whole == (count(network.model, network.head),) * 2
    network.head.requires_grad_(requires_grad=False)
    assert recognizer.count_parameters(network) == (whole[0], count(network.model))
