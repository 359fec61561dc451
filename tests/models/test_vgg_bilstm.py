from __future__ import annotations

import pytest
import torch
from networks import count

from bench.core.errors import BenchError
from bench.core.types import FeatureDims, InputShape
from bench.losses.ctc import CTC
from bench.models.crnn_small import CrnnSmall
from bench.models.vgg_bilstm import VggBiLSTM


@pytest.mark.parametrize(
    ("model", "height", "classes", "total"),
    [
        (VggBiLSTM(), 32, 37, 8_451_621),
        (VggBiLSTM(width=32), 64, 97, 3_781_345),
        (CrnnSmall(), 32, 66, 4_802_370),
    ],
)
def test_weights_are_those_of_the_published_files(model, height, classes, total):
    network = model.build(InputShape(1, height, 100))
    assert count(network, CTC().head(network.feature_dims, classes)) == total


@pytest.mark.parametrize("height", [32, 64])
def test_100_columns_make_24_frames_at_any_height(height):
    torch.manual_seed(0)
    network = VggBiLSTM(width=2, hidden=3).build(InputShape(1, height, 100)).eval()
    features, lengths = network(torch.rand(2, 1, height, 100), torch.tensor([100, 57]))
    assert features.sequence.shape == (2, 24, 3)
    assert features.visual.shape == (2, 24, 16)
    assert network.feature_dims == FeatureDims(3, 16)
    assert lengths.tolist() == [24, 13]


@pytest.mark.parametrize(("model", "frames"), [(VggBiLSTM, 14), (CrnnSmall, 16)])
def test_a_word_reads_in_a_wider_batch_as_it_does_alone(model, frames):
    torch.manual_seed(0)
    network = model(width=2, hidden=3).build(InputShape(1, 32, 0)).eval()
    words = torch.rand(2, 1, 32, 80)
    together, lengths = network(words, torch.tensor([80, 61]))
    alone, length = network(words[1:, ..., :61], torch.tensor([61]))
    assert lengths[1] == length == frames
    for one, other in zip(alone, together, strict=True):
        torch.testing.assert_close(other[1:, :length], one)


@pytest.mark.parametrize(("model", "height"), [(VggBiLSTM(), 31), (CrnnSmall(), 48)])
def test_another_height_says_what_to_set(model, height):
    with pytest.raises(BenchError, match=f"and these are {height}; set the height of the input"):
        model.build(InputShape(1, height, 100))
