from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from bench.core.types import FeatureDims
from bench.nn.frames import BiLSTM, JoinedBiLSTM, PerFrame


def encoder(layers=1):
    torch.manual_seed(0)
    return BiLSTM(3, 4, layers)


def clip(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@settings(max_examples=15)
@given(
    lengths=st.lists(st.integers(1, 6), min_size=1, max_size=4),
    extra=st.integers(0, 2),
    layers=st.integers(1, 2),
    seed=st.integers(0, 2**32),
)
def test_bilstm_reads_each_sample_as_if_it_were_alone(lengths, extra, layers, seed):
    bilstm = encoder(layers)
    frames = clip(len(lengths), max(lengths) + extra, 3, seed=seed)
    together = bilstm(frames, torch.tensor(lengths))
    assert together.shape == (*frames.shape[:2], 8)
    for n, length in enumerate(lengths):
        alone = bilstm(frames[n : n + 1, :length], torch.tensor([length]))
        torch.testing.assert_close(together[n : n + 1, :length], alone)


def test_bilstm_ignores_padding_and_emits_none():
    bilstm = encoder()
    lengths = torch.tensor([2, 5, 1])
    frames = clip(3, 6, 3)
    padding = torch.arange(6) >= lengths.unsqueeze(1)
    changed = torch.where(padding.unsqueeze(-1), torch.full_like(frames, 1e6), frames)
    before, after = bilstm(frames, lengths), bilstm(changed, lengths)
    assert torch.equal(before, after)
    assert not before[padding].any()
    assert before[~padding].all()


def test_bilstm_drops_between_layers_in_training_alone():
    torch.manual_seed(0)
    bilstm, frames, lengths = BiLSTM(3, 4, 2, dropout=0.5), clip(1, 5, 3), torch.tensor([5])
    assert not torch.equal(bilstm(frames, lengths), bilstm(frames, lengths))
    bilstm.eval()
    assert torch.equal(bilstm(frames, lengths), bilstm(frames, lengths))


def test_bilstm_sees_both_directions():
    bilstm = encoder()
    frames = clip(1, 4, 3).requires_grad_()
    output = bilstm(frames, torch.tensor([3]))
    (gradient,) = torch.autograd.grad(output[0, 1].sum(), frames)
    assert gradient[0, :3].all()
    assert not gradient[0, 3].any()


def test_per_frame_network_sees_one_frame_at_a_time():
    network = PerFrame(nn.Sequential(nn.Flatten(), nn.Linear(4, 5)), FeatureDims(5))
    inputs = clip(2, 3, 1, 2, 2)
    lengths = torch.tensor([3, 1])
    found, unchanged = network(inputs, lengths)
    features = found.sequence
    assert features.shape == (2, 3, 5)
    assert found.visual is None
    assert torch.equal(network.output_lengths(lengths), lengths)
    assert torch.equal(unchanged, lengths)
    for n in range(2):
        for t in range(3):
            torch.testing.assert_close(features[n, t], network.frame(inputs[n, t : t + 1])[0])


@pytest.mark.parametrize("layers", [1, 2])
def test_per_frame_network_hands_its_frames_to_the_encoder(layers):
    bilstm = encoder(layers)
    network = PerFrame(nn.Sequential(nn.Flatten(), nn.Linear(4, 3)), FeatureDims(8, 3), bilstm)
    inputs = clip(2, 3, 1, 2, 2)
    lengths = torch.tensor([3, 1])
    features, _ = network(inputs, lengths)
    visual = network.frame[1](inputs.flatten(2))
    torch.testing.assert_close(features.visual, visual)
    torch.testing.assert_close(features.sequence, bilstm(visual, lengths))
    assert FeatureDims(features.sequence.shape[-1], visual.shape[-1]) == network.feature_dims


def test_joined_bilstms_read_each_sample_as_if_it_were_alone():
    torch.manual_seed(0)
    joined = JoinedBiLSTM(3, 4)
    frames, lengths = clip(2, 6, 3), torch.tensor([6, 4])
    together = joined(frames, lengths)
    assert together.shape == (2, 6, 8)
    assert not together[1, 4:].any()
    alone = joined(frames[1:, :4], torch.tensor([4]))
    torch.testing.assert_close(together[1:, :4], alone)
    middle = joined.join(joined.first.lstm(frames[:1])[0])
    torch.testing.assert_close(together[:1], joined.second.lstm(middle)[0])
