from __future__ import annotations

import pytest
import torch

from bench.core.types import FeatureDims, InputShape
from bench.losses.ctc import CTC
from bench.models.htr_ctc import HtrCTC

LINE = InputShape(1, 64, 0)


@pytest.mark.parametrize(("layers", "expected"), [(1, 1_728_721), (2, 3_305_681)])
def test_weights_with_the_ctc_classifier_of_81_classes(layers, expected):
    network = HtrCTC(layers=layers).build(LINE)
    head = CTC().head(network.feature_dims, 81)
    entries = [*network.state_dict().values(), *head.state_dict().values()]
    assert sum(entry.numel() for entry in entries) == expected


def small(**parameters):
    torch.manual_seed(0)
    return HtrCTC(width=2, features=6, hidden=3, **parameters).build(InputShape(1, 8, 0)).eval()


def test_lengths_of_every_width_are_those_of_the_features():
    network = small()
    assert network.feature_dims == FeatureDims(6, 6)
    for width in range(1, 21):
        lengths = torch.tensor([width])
        features, found = network(torch.rand(1, 1, 8, width), lengths)
        frames = max(width // 4, 1)
        assert found.tolist() == network.output_lengths(lengths).tolist() == [frames]
        assert features.sequence.shape == features.visual.shape == (1, frames, 6)


@pytest.mark.parametrize("normalization", ["instance", "batch"])
@pytest.mark.parametrize("width", [13, 14, 15, 16])
def test_masked_a_line_reads_in_a_wider_batch_as_it_does_alone(normalization, width):
    network = small(masked=True, normalization=normalization)
    lines = torch.rand(2, 1, 8, 24, generator=torch.Generator().manual_seed(0))
    together, _ = network(lines, torch.tensor([24, width]))
    alone, length = network(lines[1:, ..., :width], torch.tensor([width]))
    torch.testing.assert_close(together.sequence[1:, :length], alone.sequence)


@pytest.mark.parametrize("normalization", ["instance", "batch"])
def test_unmasked_padding_is_seen(normalization):
    network = small(normalization=normalization)
    lines = torch.rand(1, 1, 8, 24, generator=torch.Generator().manual_seed(0))
    lengths = torch.tensor([12])
    before = network(lines, lengths)[0].sequence
    lines[..., 12:] = 0
    assert not torch.allclose(network(lines, lengths)[0].sequence[:, :3], before[:, :3])


def test_dropout_is_before_the_classifier_and_behind_the_convolutions():
    features, _ = small(dropout=1.0).train()(torch.rand(1, 1, 8, 16), torch.tensor([16]))
    assert not features.visual.any()
    assert not features.sequence.any()
