from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.decoding.greedy import greedy


@st.composite
def batches(draw):
    """Logits (N, T, C) without ties, and lengths (N,)."""
    samples, frames, classes = draw(st.tuples(*[st.integers(1, 4)] * 3))
    frames *= 2
    lengths = draw(st.lists(st.integers(1, frames), min_size=samples, max_size=samples))
    generator = torch.Generator().manual_seed(draw(st.integers(0, 2**32)))
    logits = torch.randn(samples, frames, classes + 1, generator=generator)
    logits[..., 0] += draw(st.sampled_from([-5.0, 0.0, 1.0, 20.0]))
    return logits, torch.tensor(lengths)


def slow(logits, length):
    """Decode one sample frame by frame: its labels, its path and its confidence."""
    probabilities = logits.double().softmax(-1).tolist()
    labels, path, confidence, before = [], [], 1.0, 0
    for t, frame in enumerate(probabilities):
        best = frame.index(max(frame)) if t < length else 0
        path.append(best)
        if t < length:
            confidence *= max(frame)
            if best not in (0, before):
                labels.append(best)
            before = best
    return labels, path, confidence


@settings(max_examples=100, deadline=None)
@given(batches())
def test_decoding_is_that_of_the_slow_loop(batch):
    logits, lengths = batch
    decoded = greedy(logits, lengths)
    assert len(decoded.labels) == len(logits)
    assert decoded.path.shape == logits.shape[:2]
    assert decoded.confidence.shape == logits.shape[:1]
    for n, length in enumerate(lengths.tolist()):
        labels, path, confidence = slow(logits[n], length)
        assert decoded.labels[n].tolist() == labels
        assert decoded.path[n].tolist() == path
        assert decoded.confidence[n] == pytest.approx(confidence, rel=1e-4)
        assert np.exp(decoded.scores[n].sum()) == pytest.approx(confidence, rel=1e-4)
    np.testing.assert_array_equal(decoded.lengths, lengths)


@settings(max_examples=30, deadline=None)
@given(batches())
def test_padding_is_ignored(batch):
    logits, lengths = batch
    changed = logits.clone()
    for n, length in enumerate(lengths):
        changed[n, length:] = torch.arange(logits.shape[2]).float() * 10
    one, two = greedy(logits, lengths), greedy(changed, lengths)
    assert [labels.tolist() for labels in one.labels] == [labels.tolist() for labels in two.labels]
    np.testing.assert_array_equal(one.path, two.path)
    np.testing.assert_array_equal(one.confidence, two.confidence)
    np.testing.assert_array_equal(one.scores, two.scores)


def showing(*paths):
    return torch.nn.functional.one_hot(torch.tensor(paths), 4).float() * 50


def test_repeats_merge_unless_a_blank_parts_them_and_never_across_samples():
    decoded = greedy(showing([1, 1, 0, 1, 2], [2, 2, 2, 3, 2]), torch.tensor([5, 5]))
    assert [labels.tolist() for labels in decoded.labels] == [[1, 1, 2], [2, 3, 2]]


def test_what_reads_as_nothing_is_empty():
    decoded = greedy(showing([0, 0], [0, 3], [0, 0]), torch.tensor([2, 2, 1]))
    assert [labels.tolist() for labels in decoded.labels] == [[], [3], []]
    nothing = greedy(showing([0, 0], [0, 3]), torch.tensor([2, 1]))
    assert [labels.tolist() for labels in nothing.labels] == [[], []]
    assert all(labels.dtype == np.int64 for labels in nothing.labels)
    np.testing.assert_allclose(nothing.confidence, 1)


def test_logits_stay_as_they_are_and_may_need_a_gradient():
    logits = torch.randn(2, 3, 4, requires_grad=True)
    before = logits.detach().clone()
    greedy(logits, torch.tensor([3, 2]))
    torch.testing.assert_close(logits.detach(), before, rtol=0, atol=0)


def test_of_equals_the_first_class_is_best():
    assert greedy(torch.tensor([[[0.0, 2.0, 2.0]]]), torch.tensor([1])).path.tolist() == [[1]]
