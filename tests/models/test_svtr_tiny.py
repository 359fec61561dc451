from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from bench.core.errors import BenchError
from bench.core.types import FeatureDims, InputShape, Targets
from bench.losses.ctc import CTC
from bench.models.svtr_tiny import SvtrTiny

WORDS = InputShape(3, 32, 100)
SMALL = SvtrTiny(heads=1, dropout=0.0, drop_path=0.0)


def built(shape=WORDS, model=SMALL):
    torch.manual_seed(0)
    return model.build(shape)


def test_parameters_with_37_classes():
    with torch.device("meta"):
        network = SvtrTiny().build(WORDS)
        trained = nn.ModuleList([network, CTC().head(network.feature_dims, 37)])
    assert sum(weight.numel() for weight in trained.parameters()) == 4_160_704 + 192 * 37 + 37


@pytest.mark.parametrize("shape", [WORDS, InputShape(1, 32, 128), InputShape(1, 9, 30)])
def test_four_columns_become_a_frame(shape):
    network = built(shape)
    features, lengths = network(torch.rand(2, *shape), torch.tensor([shape.width, 9]))
    assert lengths.tolist() == [math.ceil(shape.width / 4), 3]
    assert features.sequence.shape == (2, math.ceil(shape.width / 4), 96)
    assert features.visual is None
    assert network.feature_dims == FeatureDims(96)


def test_output_lengths_are_quarters():
    lengths = torch.arange(1, 100)
    expected = [math.ceil(length / 4) for length in lengths.tolist()]
    assert built().output_lengths(lengths).tolist() == expected


def test_padding_has_no_say():
    network = built().eval()
    images, lengths = torch.rand(2, *WORDS), torch.tensor([100, 41])
    images[1, ..., 41:] = torch.nan
    together, _ = network(images, lengths)
    alone, _ = network(images[1:, ..., :41], lengths[1:])
    torch.testing.assert_close(together.sequence[1:], alone.sequence)


def test_every_frame_sees_the_whole_image():
    network = built(InputShape(1, 8, 100)).eval()
    images = torch.rand(1, 1, 8, 100, requires_grad=True)
    features, _ = network(images, torch.tensor([100]))
    (gradient,) = torch.autograd.grad(features.sequence[0, 0].sum(), images)
    assert gradient.any(2).all()


def test_images_of_many_widths_are_refused():
    with pytest.raises(BenchError, match=r"model 'svtr-tiny' .* images of one width"):
        SMALL.build(InputShape(1, 32, 0))


@pytest.mark.slow
def test_it_learns_four_words_by_heart():
    network = built(InputShape(1, 16, 32))
    head = CTC().head(network.feature_dims, 5)
    images, feature_dims = torch.rand(4, 1, 16, 32), torch.tensor([32] * 4)
    targets = torch.tensor([[1, 2, 3], [4, 4, 0], [3, 0, 0], [2, 1, 0]])
    target_lengths = torch.tensor([3, 2, 1, 2])
    weights = [*network.parameters(), *head.parameters()]
    optimizer = torch.optim.Adam(weights, lr=1e-3)
    for _ in range(150):
        optimizer.zero_grad()
        features, lengths = network(images, feature_dims)
        truth = Targets(lengths, targets, target_lengths)
        CTC().objective(head, features, truth).backward()
        optimizer.step()
    network.eval()
    paths = head(network(images, feature_dims)[0].sequence).argmax(2)
    read = [[label for label in path.unique_consecutive().tolist() if label] for path in paths]
    assert read == [[1, 2, 3], [4, 4], [3], [2, 1]]
