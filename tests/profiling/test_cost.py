"""MACs, compared with counts by hand."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from bench.config import bench_toml as config
from bench.core.types import InputShape
from bench.losses.ce import CE
from bench.losses.ctc import CTC
from bench.models.cnn_attention import CnnAttention
from bench.models.cnn_bilstm import CnnBiLSTM
from bench.profiling import cost
from bench.recognizers.networks import network as networks

SHAPE, CLASSES = InputShape(1, 8, 8), 11


class Alone(nn.Module):
    """A layer that ignores lengths."""

    def __init__(self, layer):
        super().__init__()
        self.layer = layer

    def forward(self, inputs, _lengths):
        return self.layer(inputs)


def macs(layer, *shape) -> int:
    return cost.count_macs(Alone(layer), torch.zeros(shape), torch.tensor([shape[1]]))


@pytest.mark.parametrize("bias", [True, False])
def test_a_linear_layer(bias):
    assert macs(nn.Linear(5, 6, bias=bias), 3, 5) == 3 * 5 * 6
    assert macs(nn.Linear(5, 6, bias=bias), 2, 3, 5) == 2 * 3 * 5 * 6


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        (nn.Conv2d(4, 8, 3, padding=1), 8 * 4 * 9 * 16 * 12),
        (nn.Conv2d(4, 8, 3, padding=1, groups=4), 8 * 1 * 9 * 16 * 12),
        (nn.Conv2d(4, 8, 5, stride=2, padding=2), 8 * 4 * 25 * 8 * 6),
    ],
)
def test_a_convolution(layer, expected):
    assert macs(layer, 1, 4, 16, 12) == expected
    assert macs(layer.to(memory_format=torch.channels_last), 1, 4, 16, 12) == expected


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("layers", [1, 2])
def test_an_lstm_is_counted_gate_by_gate(bidirectional, layers):
    ways = 2 if bidirectional else 1
    lstm = nn.LSTM(10, 7, layers, batch_first=True, bidirectional=bidirectional)
    widths = [10, 7 * ways][:layers]
    assert macs(lstm, 1, 5, 10) == sum(ways * 5 * 4 * 7 * (width + 7) for width in widths)


def test_a_gru_is_counted_gate_by_gate():
    assert macs(nn.GRU(10, 7, batch_first=True), 1, 5, 10) == 5 * 3 * 7 * (10 + 7)


def test_a_transformer_layer_is_counted_with_its_attention():
    layer = nn.TransformerEncoderLayer(16, 2, 32, batch_first=True)
    assert macs(layer, 1, 5, 16) == 5 * (4 * 16 * 16 + 2 * 16 * 32) + 2 * 5 * 5 * 16


def test_the_classifier_is_counted_once_per_step_of_feedback():
    model = CnnAttention(width=2, hidden=4, max_length=2)
    network = networks.build_network(model, CE(), SHAPE, CLASSES)
    torch.nn.init.constant_(network.head.bias, 0)
    network.head.bias.data[0] = -1e6  # It never ends: three steps.
    frames, hidden, features = 17, 4, 8
    step = 4 * hidden * (hidden + features + hidden) + hidden * hidden + frames * hidden
    decoder = frames * features * hidden + 3 * (step + (hidden + features) * 11)
    below = networks.build_network(CnnBiLSTM(width=2, hidden=4), CTC(), SHAPE, CLASSES)
    inputs, lengths = torch.zeros(1, frames, 1, 8, 8), torch.tensor([frames])
    expected = cost.count_macs(below, inputs, lengths) - frames * features * 11 + decoder
    assert cost.count_macs(network, inputs, lengths) == expected


def test_element_wise_work_is_not_counted():
    assert macs(nn.Sequential(nn.BatchNorm2d(3), nn.PReLU(), nn.MaxPool2d(2)), 1, 3, 8, 8) == 0


def test_counting_does_not_change_the_network():
    network = Alone(nn.Sequential(nn.Linear(3, 3), nn.Dropout()))
    kernels = (torch.backends.mkldnn.enabled, torch.backends.mha.get_fastpath_enabled())
    cost.count_macs(network, torch.zeros(1, 3), torch.tensor([1]))
    assert network.training
    after = (torch.backends.mkldnn.enabled, torch.backends.mha.get_fastpath_enabled())
    assert after == kernels


def test_the_models_of_quick(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    counts = {}
    for entry in config.load().suite("quick").entries:
        network = networks.build_network(entry.model, entry.loss, SHAPE, CLASSES)
        inputs = torch.zeros(1, 17, 1, 8, 8)
        counts[entry.model.name, entry.loss.name] = cost.count_macs(
            network, inputs, torch.tensor([17])
        )
    frame = 16 * 9 * 64 + 16 * 32 * 9 * 16 + 128 * 48
    bilstm = frame + 2 * 4 * 48 * (48 + 48) + 96 * 11
    assert counts["cnn-bilstm", "ctc"] == counts["cnn-bilstm", "radial-ctc"] == 17 * bilstm
    first, second, third = (8 + 64) * 64, (128 + 256) * 16, (512 + 1024) * 4
    lenet = 25 * (first + second + third) + 32 * 32 + 32 * 11
    assert counts["lenetpp", "ctc"] == counts["lenetpp", "radial-ctc"] == 17 * lenet
