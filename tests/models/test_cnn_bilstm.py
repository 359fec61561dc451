from __future__ import annotations

import pytest
import torch

from bench.core.types import FeatureDims, InputShape
from bench.models.cnn_bilstm import CnnBiLSTM


def test_parameters_on_grey_frames_of_8_pixels():
    convolutions = 1 * 32 * 9 + 2 * 32 + 32 * 64 * 9 + 2 * 64
    linear = 64 * 2 * 2 * 64 + 64
    direction = 4 * (64 * 64 + 64 * 64 + 64 + 64)
    network = CnnBiLSTM().build(InputShape(1, 8, 8))
    found = sum(parameter.numel() for parameter in network.parameters())
    assert found == convolutions + linear + 2 * direction == 101_920


def test_parameters_of_a_small_network_with_two_layers():
    convolutions = 3 * 4 * 9 + 2 * 4 + 4 * 8 * 9 + 2 * 8
    linear = 8 * 3 * 5 * 8 + 8
    first, second = 4 * (8 * 8 + 8 * 8 + 8 + 8), 4 * (16 * 8 + 8 * 8 + 8 + 8)
    network = CnnBiLSTM(width=4, hidden=8, layers=2).build(InputShape(3, 12, 20))
    found = sum(parameter.numel() for parameter in network.parameters())
    assert found == convolutions + linear + 2 * (first + second) == 4_204


@pytest.mark.parametrize("shape", [InputShape(1, 8, 8), InputShape(3, 12, 20), InputShape(1, 9, 7)])
def test_every_frame_becomes_a_feature(shape):
    network = CnnBiLSTM(width=4, hidden=6).build(shape)
    lengths = torch.tensor([2, 5])
    features, unchanged = network(torch.rand(2, 5, *shape), lengths)
    assert features.sequence.shape == (2, 5, 12)
    assert features.visual.shape == (2, 5, 6)
    assert network.feature_dims == FeatureDims(12, 6)
    assert torch.equal(unchanged, lengths)


def test_features_have_context_but_no_padding():
    torch.manual_seed(0)
    network = CnnBiLSTM(width=4, hidden=6).build(InputShape(1, 8, 8)).eval()
    clips = torch.rand(1, 4, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    lengths = torch.tensor([3])
    before = network(clips, lengths)[0].sequence
    for frame, heard in [(2, True), (3, False)]:
        changed = clips.clone()
        changed[0, frame] = 0
        after = network(changed, lengths)[0].sequence
        assert torch.allclose(after[0, 0], before[0, 0]) is not heard
