from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from bench.nn.convolutions import Convolutions, Stage, columns, cut, stride
from bench.nn.normalization import InstanceNorm

LAYERS = [
    nn.Conv2d(1, 2, 5, padding=2),
    nn.Conv2d(1, 2, (2, 3)),
    nn.Conv2d(1, 2, (1, 4), (1, 2), (0, 1)),
    nn.MaxPool2d(2),
    nn.MaxPool2d((2, 1)),
    nn.MaxPool2d(2, (2, 1), (0, 1)),
]


def images(count, width, seed=0):
    return torch.randn(count, 1, 8, width, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("layer", LAYERS, ids=str)
def test_columns_are_counted_as_the_layer_makes_them(layer):
    for width in range(4, 12):
        made = layer(images(1, width)).shape[3]
        assert columns(layer, width) == made
        assert columns(nn.Sequential(layer), torch.tensor([width])).tolist() == [made]


def test_strides_multiply():
    assert stride(nn.Sequential(*LAYERS)) == 4


def test_what_is_cut_is_zero():
    assert cut(torch.full((2, 1, 1, 3), torch.nan), torch.tensor([0, 3]))[0].tolist() == [[[0] * 3]]
    assert cut(torch.ones(2, 1, 1, 3), torch.tensor([1, 3])).sum((1, 2, 3)).tolist() == [1, 3]


def network(norm, masked):
    torch.manual_seed(0)
    norms = {
        "none": lambda: None,
        "batch": lambda: nn.BatchNorm2d(3),
        "instance": InstanceNorm,
    }[norm]
    stages = [
        Stage(nn.Conv2d(1, 3, 3, padding=1), norms(), nn.MaxPool2d(2)),
        Stage(nn.Conv2d(3, 3, 3, padding=1), norms()),
        Stage(nn.Conv2d(3, 3, 3, padding=1), norms(), nn.MaxPool2d(2, (2, 1), (0, 1))),
        Stage(nn.Conv2d(3, 3, 2), norms()),
    ]
    return Convolutions(stages, masked=masked).eval()


@settings(max_examples=25)
@given(
    lengths=st.lists(st.integers(2, 9), min_size=1, max_size=3),
    extra=st.integers(0, 3),
    norm=st.sampled_from(["none", "batch", "instance"]),
)
def test_masked_an_image_is_read_as_if_it_were_alone(lengths, extra, norm):
    stages = network(norm, masked=True)
    given_ = images(len(lengths), max(lengths) + extra)
    together, found = stages(given_, torch.tensor(lengths))
    for n, length in enumerate(lengths):
        alone, width = stages(given_[n : n + 1, ..., :length], torch.tensor([length]))
        assert found[n] == width == alone.shape[3]
        torch.testing.assert_close(together[n : n + 1, ..., :width], alone)


def test_unmasked_padding_is_pixels_like_any_other():
    stages = network("batch", masked=False)
    given_ = images(1, 8)
    whole, _ = stages(given_, torch.tensor([8]))
    part, lengths = stages(given_, torch.tensor([4]))
    assert torch.equal(part, whole)
    assert lengths.tolist() == [2]


@pytest.mark.parametrize("norm", ["none", "batch", "instance"])
def test_gradients_are_those_of_the_layers_in_their_usual_order(norm):
    stages = network(norm, masked=True).train()
    layers = []
    for stage in stages.stages:
        own = [] if stage.norm is None else [stage.norm]
        layers += [stage.convolution, *own, nn.ReLU(), *([stage.pool] if stage.pool else [])]
    given_ = images(2, 8).requires_grad_()
    found, _ = stages(given_, torch.tensor([8, 8]))
    expected = nn.Sequential(*layers)(given_)
    upstream = torch.randn(expected.shape, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(found, expected)
    weights = [given_, *stages.parameters()]
    ours = torch.autograd.grad(found, weights, upstream)
    for one, other in zip(ours, torch.autograd.grad(expected, weights, upstream), strict=True):
        torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-4)
