from __future__ import annotations

import pytest
import torch
from networks import count
from torch import nn

from bench.core.errors import BenchError
from bench.core.types import FeatureDims, InputShape
from bench.losses.ctc import CTC
from bench.models.crnn import CRNN

GREY = InputShape(1, 32, 100)


def small(**parameters):
    torch.manual_seed(0)
    return CRNN(width=2, hidden=3, **parameters).build(GREY)


@pytest.mark.parametrize(
    ("model", "channels", "convolutions", "total"),
    [
        (CRNN(), 1, 5_551_360, 8_331_301),
        (CRNN(join=False, bias=False), 3, 5_551_232, 8_724_133),
    ],
)
def test_weights_with_the_ctc_classifier_of_37_classes(model, channels, convolutions, total):
    network = model.build(InputShape(channels, 32, 100))
    assert count(network.convolutions) == convolutions
    assert count(network, CTC().head(network.feature_dims, 37)) == total


def test_100_columns_make_26_frames():
    features, lengths = small()(torch.rand(2, 1, 32, 100), torch.tensor([100, 57]))
    assert features.sequence.shape == (2, 26, 6)
    assert features.visual.shape == (2, 26, 16)
    assert small().feature_dims == FeatureDims(6, 16)
    assert lengths.tolist() == [26, 15]


@pytest.mark.parametrize("join", [True, False])
def test_lengths_of_every_width_are_those_of_the_features(join):
    network = small(join=join).eval()
    for width in range(1, 41):
        lengths = torch.tensor([width])
        features, found = network(torch.rand(1, 1, 32, width), lengths)
        assert found.tolist() == network.output_lengths(lengths).tolist() == [width // 4 + 1]
        assert features.sequence.shape[1] == max(width, 4) // 4 + 1


@pytest.mark.parametrize("width", [61, 62, 63, 64])
def test_a_word_reads_in_a_wider_batch_as_it_does_alone(width):
    network = small().eval()
    words = torch.rand(2, 1, 32, 80, generator=torch.Generator().manual_seed(0))
    together, lengths = network(words, torch.tensor([80, width]))
    alone, length = network(words[1:, ..., :width], torch.tensor([width]))
    assert lengths[1] == length == alone.sequence.shape[1]
    for one, other in zip(alone, together, strict=True):
        torch.testing.assert_close(other[1:, :length], one)


def test_the_layers_are_those_of_the_paper_in_their_order():
    network = small().eval()
    layers = []
    for number, stage in enumerate(network.convolutions.stages):
        norm = [stage.norm] if number in {2, 4, 6} else []
        pools = {0: nn.MaxPool2d(2), 1: nn.MaxPool2d(2)}
        pools |= {number: nn.MaxPool2d(2, (2, 1), (0, 1)) for number in (3, 5)}
        pool = [pools[number]] if number in pools else []
        layers += [stage.convolution, *norm, nn.ReLU(), *pool]
        for one in norm:
            nn.init.uniform_(one.running_mean, -1, 1)
            nn.init.uniform_(one.weight, -1, 1)
    words = torch.rand(2, 1, 32, 100)
    expected = nn.Sequential(*layers)(words).squeeze(2).transpose(1, 2)
    features, _ = network(words, torch.tensor([100, 100]))
    torch.testing.assert_close(features.visual, expected)
    encoder = network.encoder
    joined = encoder.join(encoder.first.lstm(expected)[0])
    torch.testing.assert_close(features.sequence, encoder.second.lstm(joined)[0])


def test_another_height_is_refused():
    with pytest.raises(
        BenchError, match="32 pixels high, and these are 48; set the height of the input"
    ):
        CRNN().build(InputShape(1, 48, 100))
