"""What holds for every model, whatever it is: a new one is found here by itself."""

from __future__ import annotations

import pytest
import torch
from networks import says
from torch import nn

from bench.core import registry
from bench.core.types import Batch, FeatureDims, InputShape
from bench.losses.ce import CE
from bench.losses.ctc import CTC
from bench.recognizers.networks.network import FrameRecognitionNetwork, Seq2SeqRecognitionNetwork
from bench.training.step import TrainingStep

MODELS = registry.everything("model")
SHAPES = {"frames": InputShape(3, 16, 16), "image": InputShape(1, 32, 128)}
FRAMES, CLASSES = 24, 6
LENGTHS = {"frames": (FRAMES, 17), "image": (128, 96)}
# Narrower than they were published, for the sake of time: their own tests count them.
NARROW = {"abinet-vision": {"width": 2}, "cslr-resnet18": {"width": 4, "hidden": 8}}
# These were published with a say of padding, and without it only where that is asked for.
WITHOUT_PADDING = {
    "htr-ctc": {"masked": True},
    "htr-seq2seq": {"masked": True},
    "htr-seq2seq-light": {"masked": True},
}


def built(name, **parameters):
    """Return a model, and a network of it with the weights of seed 0."""
    model = MODELS[name](**NARROW.get(name, {}), **parameters)
    torch.manual_seed(0)
    classes = (CLASSES,) if model.emits == "seq2seq" else ()
    return model, model.build(SHAPES[model.accepts], *classes)


def batch(model):
    """Return two samples, the second of them padded, with three labels and two."""
    shape = SHAPES[model.accepts]
    size = (2, FRAMES, *shape) if model.accepts == "frames" else (2, *shape)
    inputs = torch.rand(size, generator=torch.Generator().manual_seed(0))
    targets, counts = torch.tensor([[1, 2, 3], [4, 5, 0]]), torch.tensor([3, 2])
    lengths = torch.tensor(LENGTHS[model.accepts])
    return Batch(inputs, lengths, targets, counts, torch.full_like(targets, -1), ("a", "b"))


def read(model, network, inputs, lengths):
    """Return features, and how many of them each sample has."""
    if model.emits == "frames":
        return network(inputs, lengths)
    features = network(inputs, lengths, says(1, 2, 3))
    return features, lengths.new_full(lengths.shape, features.sequence.shape[1])


@pytest.mark.parametrize("name", MODELS)
def test_features_have_the_sizes_that_the_network_states(name):
    model, network = built(name)
    given = batch(model)
    features, lengths = read(model, network.eval(), given.inputs, given.lengths)
    visual = None if features.visual is None else features.visual.shape[2]
    assert network.feature_dims == FeatureDims(features.sequence.shape[2], visual)
    assert model.visual is (visual is not None)
    assert features.sequence.isfinite().all()
    assert len(features.sequence) == 2
    if model.emits == "seq2seq":
        assert features.sequence.shape[1] <= network.steps
        return
    assert 0 < lengths.min() <= lengths.max() <= features.sequence.shape[1]
    assert torch.equal(network.output_lengths(given.lengths), lengths)
    if visual:
        assert features.visual.shape[:2] == features.sequence.shape[:2]


@pytest.mark.parametrize("name", [name for name in MODELS if hasattr(built(name)[1], "attend")])
def test_maps_lie_on_their_images(name):
    model, network = built(name)
    given = batch(model)
    _, maps = network.eval().attend(given.inputs, given.lengths, says(1, 2, 3))
    torch.testing.assert_close(maps.sum((2, 3)), torch.ones(maps.shape[:2]))
    for places, cell, side in zip(
        maps.shape[2:], network.cell, given.inputs.shape[2:], strict=True
    ):
        assert abs(places * cell - side) < cell


@pytest.mark.parametrize("name", MODELS)
def test_every_weight_has_a_finite_gradient(name):
    model, network = built(name)
    recognizer, loss = (
        (FrameRecognitionNetwork, CTC())
        if model.emits == "frames"
        else (Seq2SeqRecognitionNetwork, CE())
    )
    trained = recognizer(network, loss.head(network.feature_dims, CLASSES))
    output = TrainingStep(trained, loss)(batch(model))
    assert output.infeasible == 0
    output.loss.backward()
    gradients = {name: weight.grad for name, weight in trained.named_parameters()}
    assert [name for name, gradient in gradients.items() if gradient is None] == []
    assert all(gradient.isfinite().all() for gradient in gradients.values())


@pytest.mark.parametrize("name", MODELS)
def test_padding_has_no_say(name):
    model, network = built(name, **WITHOUT_PADDING.get(name, {}))
    given = batch(model)
    changed = given.inputs.clone()
    behind = given.lengths[1]
    if model.accepts == "frames":
        changed[1, behind:] = 7
    else:
        changed[1, ..., behind:] = 7
    before, lengths = read(model, network.eval(), given.inputs, given.lengths)
    after, _ = read(model, network, changed, given.lengths)
    for sample, length in enumerate(lengths):
        for one, other in zip(before, after, strict=True):
            if one is not None:
                torch.testing.assert_close(other[sample, :length], one[sample, :length])


@pytest.mark.parametrize("name", MODELS)
def test_a_sample_reads_the_same_alone(name):
    model, network = built(name)
    given = batch(model)
    together, lengths = read(model, network.eval(), given.inputs, given.lengths)
    alone, length = read(model, network, given.inputs[:1], given.lengths[:1])
    assert torch.equal(length, lengths[:1])
    torch.testing.assert_close(alone.sequence, together.sequence[:1], atol=1e-4, rtol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_seeds_decide_weights_and_training(name):
    found = []
    for _ in range(2):
        model, network = built(name)
        given = batch(model)
        features, _ = read(model, network, given.inputs, given.lengths)
        weights = nn.utils.parameters_to_vector(network.parameters())
        found.append((weights, features.sequence))
    assert torch.equal(found[0][0], found[1][0])
    assert torch.equal(found[0][1], found[1][1])
    torch.manual_seed(1)
    classes = (CLASSES,) if model.emits == "seq2seq" else ()
    other = model.build(SHAPES[model.accepts], *classes)
    assert not torch.equal(nn.utils.parameters_to_vector(other.parameters()), found[0][0])
