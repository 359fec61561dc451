from __future__ import annotations

import torch
from networks import count

from bench.core.types import FeatureDims, InputShape
from bench.models.cnn_attention import CnnAttention
from bench.models.cnn_bilstm import CnnBiLSTM
from bench.nn.feedback import Greedy

SHAPE = InputShape(1, 8, 8)


def test_parameters_are_those_of_cnn_bilstm_and_of_the_decoder():
    network = CnnAttention(width=4, hidden=6).build(SHAPE, 11)
    embedding = 11 * 6
    cell = 4 * ((6 + 12) * 6 + 6 * 6 + 2 * 6)
    attention = (12 * 6 + 6) + 6 * 6 + 6
    assert count(network) == count(CnnBiLSTM(width=4, hidden=6).build(SHAPE)) + (
        embedding + cell + attention
    )


def test_it_emits_a_feature_a_symbol_and_at_most_one_more_than_max_length():
    torch.manual_seed(0)
    network = CnnAttention(width=4, hidden=6, max_length=3).build(SHAPE, 11)
    assert network.feature_dims == FeatureDims(6 + 12)
    assert network.steps == 4
    endless = torch.nn.Linear(18, 11)
    torch.nn.init.constant_(endless.bias, 0)
    endless.bias.data[0] = -1e6
    clips, lengths = torch.rand(2, 5, *SHAPE), torch.tensor([5, 2])
    features = network(clips, lengths, Greedy(endless))
    assert features.sequence.shape == (2, 4, 18)
    assert features.visual is None
