from __future__ import annotations

import pytest
import torch
from torch import nn

from bench.core.types import FeatureDims, InputShape
from bench.losses.ctc import CTC
from bench.losses.radial_ctc import RadialCTC
from bench.models.lenetpp import LeNetPP


@pytest.mark.parametrize(
    ("model", "loss", "expected"),
    [
        (LeNetPP(), CTC(), 801_046),
        (LeNetPP(batch_norm=True), CTC(), 801_942),
        (LeNetPP(), RadialCTC(), 801_035),
    ],
)
def test_parameters_on_grey_frames_of_32_pixels(model, loss, expected):
    network = model.build(InputShape(1, 32, 32))
    trained = nn.ModuleList([network, loss.head(network.feature_dims, 11)])
    assert sum(parameter.numel() for parameter in trained.parameters()) == expected


@pytest.mark.parametrize(
    "shape", [InputShape(1, 8, 8), InputShape(1, 28, 28), InputShape(3, 16, 24)]
)
@pytest.mark.parametrize("batch_norm", [False, True])
def test_every_frame_becomes_a_feature(shape, batch_norm):
    network = LeNetPP(width=4, features=5, batch_norm=batch_norm).build(shape)
    lengths = torch.tensor([3, 1])
    features, unchanged = network(torch.rand(2, 3, *shape), lengths)
    assert features.sequence.shape == (2, 3, 5)
    assert features.visual is None
    assert network.feature_dims == FeatureDims(5)
    assert torch.equal(network.output_lengths(lengths), lengths)
    assert torch.equal(unchanged, lengths)


def test_features_are_three_by_default():
    features, _ = LeNetPP().build(InputShape(1, 8, 8))(torch.rand(1, 2, 1, 8, 8), torch.tensor([2]))
    assert features.sequence.shape == (1, 2, 3)


def test_frames_are_read_alone():
    torch.manual_seed(0)
    network = LeNetPP(width=4).build(InputShape(1, 8, 8)).eval()
    clips = torch.rand(1, 3, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    lengths = torch.tensor([3])
    before = network(clips, lengths)[0].sequence
    changed = clips.clone()
    changed[0, 1] = 0
    after = network(changed, lengths)[0].sequence
    torch.testing.assert_close(after[0, [0, 2]], before[0, [0, 2]])
    assert not torch.allclose(after[0, 1], before[0, 1])


def test_building_draws_from_the_global_generator():
    states = []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        network = LeNetPP(width=2).build(InputShape(1, 8, 8))
        states.append(nn.utils.parameters_to_vector(network.parameters()))
    assert torch.equal(states[0], states[1])
    assert not torch.equal(states[0], states[2])
