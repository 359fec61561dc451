from __future__ import annotations

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import says

from bench.nn.additive_attention import AttentionDecoder

FEATURES, HIDDEN, CLASSES = 3, 4, 5


def decoder(steps=6):
    torch.manual_seed(0)
    return AttentionDecoder(FEATURES, HIDDEN, CLASSES, steps)


def frames(count, time, seed=0):
    return torch.randn(count, time, FEATURES, generator=torch.Generator().manual_seed(seed))


def test_it_stops_where_the_feed_ends_or_its_steps_do():
    lengths = torch.tensor([4, 2])
    assert decoder()(frames(2, 4), lengths, says(1, 2)).shape == (2, 3, HIDDEN + FEATURES)
    assert decoder(2)(frames(2, 4), lengths, says(1, 2, 3, 4)).shape[1] == 2
    assert decoder().feature_dims.sequence == HIDDEN + FEATURES


@settings(max_examples=20)
@given(st.lists(st.integers(1, 5), min_size=1, max_size=3), st.integers(0, 2), st.integers(0, 99))
def test_padding_is_not_attended_to(lengths, extra, seed):
    network, count = decoder(), len(lengths)
    inputs = frames(count, max(lengths) + extra, seed)
    together = network(inputs, torch.tensor(lengths), says(1, 2))
    for n, length in enumerate(lengths):
        alone = network(inputs[n : n + 1, :length], torch.tensor([length]), says(1, 2))
        torch.testing.assert_close(together[n : n + 1], alone)


def test_the_context_is_a_mean_of_the_valid_frames():
    """Of equal frames the weighted mean is the frame, whatever the weights."""
    inputs = frames(1, 1).expand(1, 5, FEATURES).clone()
    inputs[:, 3:] = 100
    features = decoder()(inputs, torch.tensor([3]), says(1))
    torch.testing.assert_close(features[0, :, HIDDEN:], inputs[0, :2])


def test_what_is_read_back_changes_what_follows_alone():
    network, inputs, lengths = decoder(), frames(1, 4), torch.tensor([4])
    one, other = network(inputs, lengths, says(1, 2)), network(inputs, lengths, says(3, 2))
    torch.testing.assert_close(one[:, 0], other[:, 0])
    assert not torch.allclose(one[:, 1], other[:, 1])
    assert not torch.allclose(one[:, 2], other[:, 2])
