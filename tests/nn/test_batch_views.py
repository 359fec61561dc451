from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from bench.core.types import Batch
from bench.nn.batch_views import concatenate_batches, concatenate_samples, permute_samples


def batch(lengths, targets, *, clip, seed=0, width=None):
    generator = torch.Generator().manual_seed(seed)
    time = width or max(lengths)
    shape = (time, 1, 2, 3) if clip else (1, 2, time)
    inputs = torch.randn(len(lengths), *shape, generator=generator)
    padding = torch.arange(time) >= torch.tensor(lengths).unsqueeze(1)
    inputs.movedim(1 if clip else 3, 1)[padding] = 0
    longest = max(*map(len, targets), 1)
    return Batch(
        inputs,
        torch.tensor(lengths),
        torch.tensor([[*target, *[0] * (longest - len(target))] for target in targets]),
        torch.tensor([len(target) for target in targets]),
        torch.zeros(len(lengths), longest, dtype=torch.int64),
        tuple(f"sample {number}" for number in range(len(lengths))),
    )


def resampled(values, length):
    """Interpolate values (T, …) linearly to `length`, the edges held."""
    places = (np.arange(length) + 0.5) * len(values) / length - 0.5
    flat = values.reshape(len(values), -1)
    columns = [np.interp(places, np.arange(len(values)), column) for column in flat.T]
    return np.stack(columns, 1).reshape(length, *values.shape[1:])


pairs = st.lists(
    st.tuples(
        st.integers(1, 6),
        st.integers(1, 6),
        st.lists(st.integers(1, 3), max_size=3),
        st.lists(st.integers(1, 3), max_size=2),
    ),
    min_size=1,
    max_size=4,
)


@settings(max_examples=60)
@given(pairs, st.booleans(), st.integers(0, 2))
def test_samples_are_joined_and_squeezed_without_their_padding(several, clip, extra):
    lengths, others, targets, behind = map(list, zip(*several, strict=True))
    width = max(*lengths, *others) + extra
    first = batch(lengths, targets, clip=clip, width=width)
    second = batch(others, behind, clip=clip, width=width, seed=1)
    found = concatenate_samples(first, second)
    assert found.inputs.shape == first.inputs.shape
    axis = 1 if clip else 3
    for n, (length, other, target, more) in enumerate(several):
        one, two = (view.inputs.movedim(axis, 1)[n].double().numpy() for view in (first, second))
        expected = resampled(np.concatenate([one[:length], two[:other]]), max(length, other))
        pixels = found.inputs.movedim(axis, 1)[n].numpy()
        np.testing.assert_allclose(pixels[: max(length, other)], expected, atol=1e-5)
        assert not pixels[max(length, other) :].any()
        assert found.lengths[n] == max(length, other)
        assert found.targets[n, : found.target_lengths[n]].tolist() == target + more
        assert not found.targets[n, found.target_lengths[n] :].any()


@pytest.mark.parametrize("width", [7, 32])
def test_whole_images_are_resized_as_interpolate_does(width):
    first = batch([width] * 2, [[1], [2]], clip=False)
    second = batch([width] * 2, [[3], [1]], clip=False, seed=1)
    expected = functional.interpolate(
        torch.cat([first.inputs, second.inputs], 3), size=(2, width), mode="bilinear"
    )
    torch.testing.assert_close(concatenate_samples(first, second).inputs, expected)


def test_a_permutation_moves_all_of_a_sample():
    first = batch([2, 4], [[1, 2], [3]], clip=True)
    found = permute_samples(first, torch.tensor([1, 0]))
    assert found.ids == ("sample 1", "sample 0")
    assert found.lengths.tolist() == [4, 2]
    assert found.targets.tolist() == [[3, 0], [1, 2]]
    torch.testing.assert_close(found.inputs[0], first.inputs[1])


def test_views_are_stacked_with_their_targets_padded():
    first = batch([2, 4], [[1, 2], [3]], clip=False)
    second = concatenate_samples(first, first)
    found = concatenate_batches([first, second])
    assert found.inputs.shape[0] == 4
    assert found.targets.tolist() == [[1, 2, 0, 0], [3, 0, 0, 0], [1, 2, 1, 2], [3, 3, 0, 0]]
    assert found.target_lengths.tolist() == [2, 1, 4, 2]
    assert found.key_frames[0].tolist() == [0, 0, -1, -1]
    assert found.ids == first.ids * 2
