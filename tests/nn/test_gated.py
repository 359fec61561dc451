from __future__ import annotations

import pytest
import torch
from networks import count

from bench.core.errors import BenchError
from bench.core.types import InputShape
from bench.nn.gated import DepthwiseSeparable, GateBlock, line_convolutions


def lines(height, width=40):
    return torch.rand(2, 1, height, width, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(
    ("height", "rows", "columns"), [(64, 1, 10), (64, 4, 10), (64, 8, 10), (128, 8, 5), (128, 4, 5)]
)
def test_the_height_is_halved_to_the_rows_asked_for(height, rows, columns):
    network = line_convolutions(InputShape(1, height, 0), 2, 6, feature_height=rows)
    maps, lengths = network(lines(height), torch.tensor([40, 20]))
    assert maps.shape == (2, 6, rows, columns)
    assert lengths.tolist() == [columns, columns // 2]
    assert network.stride == 40 // columns


@pytest.mark.parametrize("height", [2, 63, 65, 100, 128])
def test_other_heights_are_refused(height):
    with pytest.raises(BenchError, match=f"a height of {height} pixels"):
        line_convolutions(InputShape(1, height, 0), 2, 6)


def test_weights_are_those_of_the_thesis():
    line = InputShape(1, 64, 0)
    assert count(line_convolutions(line, 32, 256)) == 634_496
    assert count(line_convolutions(line, 32, 256, gates=1)) == 634_496 + 134_144
    assert count(line_convolutions(line, 32, 256, multiplier=3)) == 3 * 129_530 + 864
    assert count(line_convolutions(line, 32, 256, normalization="batch")) == 634_496 + 2 * 864


def test_a_gate_multiplies_two_normalised_halves():
    torch.manual_seed(0)
    gate = GateBlock(3, dropout=0.0)
    maps = torch.randn(2, 3, 1, 20)
    found = gate(maps, None)
    assert found.shape == (2, 3, 1, 12)
    halves = gate.convolution(maps).split(3, 1)
    said, passed = torch.tanh(halves[0]), torch.sigmoid(halves[1])

    def standard(x):
        return (x - x.mean(3, keepdim=True)) / (x.std(3, keepdim=True) + 1e-5)

    torch.testing.assert_close(found, standard(said) * standard(passed))


def test_a_separable_convolution_is_a_whole_one_of_lower_rank():
    torch.manual_seed(0)
    separable = DepthwiseSeparable(2, 3, (3, 3), (1, 1), multiplier=2)
    depthwise, pointwise = separable
    kernels = depthwise.weight.view(2, 2, 3, 3)
    mixing = pointwise.weight.view(3, 2, 2)
    weight = torch.einsum("oik,ikhw->oihw", mixing, kernels)
    bias = pointwise.bias + mixing.flatten(1) @ depthwise.bias
    images = torch.randn(1, 2, 5, 7)
    torch.testing.assert_close(
        separable(images), torch.nn.functional.conv2d(images, weight, bias, padding=1)
    )


def test_dropout_is_behind_the_six_and_the_gates_have_their_own():
    shape = InputShape(1, 8, 0)
    six, gated = (
        line_convolutions(shape, 2, 6, gates=1, dropout=one, gate_dropout=other).train()
        for one, other in ((1.0, 0.0), (0.0, 1.0))
    )
    maps = lines(8)
    for stage in six.stages[:-1]:
        maps = stage(maps, None)
    assert not maps.any()
    assert not gated(lines(8), torch.tensor([40, 40]))[0].any()
