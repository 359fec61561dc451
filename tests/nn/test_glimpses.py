from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import says
from torch.nn import functional

from bench.nn.frames import BiLSTM
from bench.nn.glimpses import GlimpseDecoder, RowEncoder

FEATURES, HIDDEN, CLASSES = 3, 4, 5


def decoder(steps=6, recurrence="lstm", **others):
    torch.manual_seed(0)
    sizes = {"embedding": 2, "hidden": HIDDEN, "attention": 7}
    return GlimpseDecoder(FEATURES, CLASSES, steps=steps, recurrence=recurrence, **sizes, **others)


def grid(count, height, width, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(count, height, width, FEATURES, generator=generator)


def looked(network, cells, lengths, *symbols):
    features, shares = zip(*network.glimpses(cells, lengths, says(*symbols)), strict=True)
    return torch.stack(features, 1), torch.stack(shares, 1)


def test_it_stops_where_the_feed_ends_or_its_steps_do():
    lengths = torch.tensor([4, 2])
    features, shares = looked(decoder(), grid(2, 3, 4), lengths, 1, 2)
    assert features.shape == (2, 3, HIDDEN)
    assert shares.shape == (2, 3, 3, 4)
    assert len(looked(decoder(2), grid(2, 3, 4), lengths, 1, 2, 3)[0][0]) == 2
    assert decoder().feature_dims.sequence == HIDDEN


@pytest.mark.parametrize("recurrence", ["lstm", "gru"])
def test_each_step_looks_by_the_state_before_it(recurrence):
    network, cells = decoder(recurrence=recurrence), grid(2, 3, 4)
    features, shares = looked(network, cells, torch.tensor([4, 4]), 1, 2)
    state = memory = torch.zeros(2, HIDDEN)
    for step, symbol in enumerate([0, 1, 2]):
        energy = network.energy(
            torch.tanh(network.keys(cells) + network.query(state)[:, None, None])
        )
        weights = functional.softmax(energy.flatten(1), 1).view(2, 3, 4)
        context = torch.einsum("nhw,nhwc->nc", weights, cells)
        read = torch.cat([network.embedding.weight[[symbol] * 2], context], 1)
        if recurrence == "lstm":
            state, memory = network.cell(read, (state, memory))
        else:
            state = network.cell(read, state)
        torch.testing.assert_close(shares[:, step], weights)
        torch.testing.assert_close(features[:, step], state)


@settings(max_examples=15)
@given(st.lists(st.integers(1, 5), min_size=1, max_size=3), st.integers(0, 2), st.integers(1, 3))
def test_padding_has_no_attention(lengths, extra, height):
    network, count = decoder(), len(lengths)
    cells = grid(count, height, max(lengths) + extra)
    features, shares = looked(network, cells, torch.tensor(lengths), 1, 2)
    torch.testing.assert_close(shares.sum((2, 3)), torch.ones(count, 3))
    for n, length in enumerate(lengths):
        assert not shares[n, ..., length:].any()
        alone, _ = looked(network, cells[n : n + 1, :, :length], torch.tensor([length]), 1, 2)
        torch.testing.assert_close(features[n : n + 1], alone)


def test_dropout_is_in_what_is_emitted_and_not_in_what_is_remembered():
    network, cells, lengths = decoder(dropout=0.5).train(), grid(1, 1, 4), torch.tensor([4])
    emitted, _ = looked(network, cells, lengths, 1, 2)
    whole, _ = looked(network.eval(), cells, lengths, 1, 2)
    kept = emitted != 0
    assert kept.any()
    assert not kept.all()
    torch.testing.assert_close(emitted[kept], 2 * whole[kept])


def test_a_row_is_encoded_as_by_a_bilstm():
    torch.manual_seed(0)
    encoder = RowEncoder(FEATURES, 2)
    cells, lengths = grid(2, 1, 5), torch.tensor([5, 3])
    assert isinstance(encoder.row, BiLSTM)
    torch.testing.assert_close(encoder(cells, lengths)[:, 0], encoder.row(cells[:, 0], lengths))
