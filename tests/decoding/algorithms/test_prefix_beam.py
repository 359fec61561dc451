"""Prefix beam search against all paths, and where its library is missing."""

from __future__ import annotations

import sys
from collections import defaultdict
from itertools import product

import numpy as np
import pytest
import torch
from all_paths import collapsed, probability
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.core.errors import BenchError
from bench.decoding.algorithms.prefix_beam import prefix_beam_search

ALL = 4**7
"""More prefixes than six frames of four classes have."""


@st.composite
def batches(draw):
    """Logits (N, T, C) with T ≤ 6 and C ≤ 4, and lengths (N,), 0 among them."""
    samples, frames, classes = (
        draw(st.integers(1, 3)),
        draw(st.integers(1, 6)),
        draw(st.integers(2, 4)),
    )
    lengths = draw(st.lists(st.integers(0, frames), min_size=samples, max_size=samples))
    generator = torch.Generator().manual_seed(draw(st.integers(0, 2**32)))
    spread = draw(st.sampled_from([0.0, 0.3, 1.0, 3.0, 30.0]))
    return spread * torch.randn(samples, frames, classes, generator=generator), torch.tensor(
        lengths
    )


def sums(logits):
    """Return the probability of all that one sample (T, C) may read as."""
    probabilities = logits.double().softmax(-1).numpy()
    found = defaultdict(float)
    for path in product(range(logits.shape[1]), repeat=logits.shape[0]):
        found[collapsed(path)] += probability(path, probabilities)
    return found


@settings(max_examples=40)
@given(batches())
def test_a_beam_wide_enough_finds_what_exhaustive_search_finds(batch):
    logits, lengths = batch
    decoded = prefix_beam_search(logits, lengths, width=ALL)
    for n, length in enumerate(lengths.tolist()):
        every = sums(logits[n, :length])
        labels = tuple(decoded.labels[n].tolist())
        assert every[labels] == pytest.approx(max(every.values()), rel=1e-5)
        assert decoded.confidence[n] == pytest.approx(every[labels], rel=1e-4)
        assert collapsed(decoded.path[n, :length].tolist()) == labels


@settings(max_examples=40)
@given(batches(), st.integers(1, 3))
def test_a_narrow_beam_reads_something_and_knows_its_true_probability(batch, width):
    logits, lengths = batch
    decoded = prefix_beam_search(logits, lengths, width=width)
    for n, length in enumerate(lengths.tolist()):
        expected = sums(logits[n, :length])[tuple(decoded.labels[n].tolist())]
        assert decoded.confidence[n] == pytest.approx(expected, rel=1e-4)


def test_many_paths_outweigh_the_best_one():
    # Blank is best in both frames (0.36), yet 1 has 0.24 + 0.24 + 0.16.
    logits = torch.tensor([[[0.6, 0.4], [0.6, 0.4]]]).log()
    assert prefix_beam_search(logits, torch.tensor([2])).labels[0].tolist() == [1]


def test_padding_and_the_scale_of_a_frame_change_nothing():
    logits = torch.randn(2, 5, 4)
    lengths = torch.tensor([5, 2])
    changed = logits + torch.randn(2, 5, 1)
    changed[1, 2:] = 7
    one, two = prefix_beam_search(logits, lengths), prefix_beam_search(changed, lengths)
    assert [each.tolist() for each in one.labels] == [each.tolist() for each in two.labels]
    np.testing.assert_array_equal(one.path, two.path)


def test_more_classes_than_an_alphabet_of_letters():
    logits = torch.full((1, 3, 60_000), -20.0)
    logits[0, range(3), [55_296, 0, 59_999]] = 20
    assert prefix_beam_search(logits, torch.tensor([3]), cut=1e-6).labels[0].tolist() == [
        55_296,
        59_999,
    ]


def test_without_the_library_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "fast_ctc_decoder", None)
    with pytest.raises(BenchError, match=r'pip install "fast-ctc-decoder>=0\.3\.9"'):
        prefix_beam_search(torch.zeros(1, 1, 2), torch.tensor([1]))
