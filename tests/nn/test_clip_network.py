from __future__ import annotations

import math

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from bench.nn.clip_network import TemporalConvolution, frame_numbers, repeat_ends

lengths_of = st.lists(st.integers(1, 13), min_size=1, max_size=4)


def clips_of(lengths, features=3, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(length, features, generator=generator) for length in lengths]


def extended(clip):
    """Return a clip with six of its first frames before it, and behind it those that VAC adds."""
    behind = math.ceil(len(clip) / 4) * 4 - len(clip) + 6
    return torch.cat([clip[:1]] * 6 + [clip] + [clip[-1:]] * behind)


def plain(temporal):
    """Return the layers of a temporal convolution one after the other."""
    layers = []
    for convolution, norm in zip(temporal.convolutions, temporal.norms, strict=True):
        layers += [convolution, norm, nn.ReLU(), nn.MaxPool1d(2)]
    return nn.Sequential(*layers)


@given(lengths_of)
def test_frame_numbers_restart_in_each_clip(lengths):
    expected = [place for length in lengths for place in range(length)]
    assert frame_numbers(torch.tensor(lengths)).tolist() == expected


@given(lengths_of)
def test_clips_dwell_on_their_ends(lengths):
    clips = clips_of(lengths)
    frames, counts = repeat_ends(torch.cat(clips), torch.tensor(lengths))
    wanted = [extended(clip) for clip in clips]
    assert counts.tolist() == [len(clip) for clip in wanted]
    assert torch.equal(frames, torch.cat(wanted))


@settings(max_examples=25)
@given(lengths_of, st.integers(0, 99))
def test_convolutions_of_many_clips_are_those_of_each(lengths, seed):
    torch.manual_seed(0)
    temporal = TemporalConvolution(3, 5).eval()
    clips = [extended(clip) for clip in clips_of(lengths, seed=seed)]
    found = temporal(torch.cat(clips), torch.tensor([len(clip) for clip in clips]))
    wanted = [plain(temporal)(clip.T.unsqueeze(0)).squeeze(0).T for clip in clips]
    assert [len(clip) for clip in wanted] == [math.ceil(length / 4) for length in lengths]
    torch.testing.assert_close(found, torch.cat(wanted))


def test_equal_clips_are_normalised_as_one_batch():
    torch.manual_seed(0)
    temporal = TemporalConvolution(3, 5)
    clips = torch.stack([extended(clip) for clip in clips_of([8, 8])])
    found = temporal(clips.flatten(0, 1), torch.tensor([20, 20]))
    torch.testing.assert_close(found, plain(temporal)(clips.mT).mT.flatten(0, 1))
