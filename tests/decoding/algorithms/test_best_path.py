from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.decoding.algorithms.best_path import decode_ace, decode_ctc, decode_seq2seq


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


@settings(max_examples=100)
@given(batches())
def test_decoding_is_that_of_the_slow_loop(batch):
    logits, lengths = batch
    decoded = decode_ctc(logits, lengths)
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


@settings(max_examples=30)
@given(batches())
def test_padding_is_ignored(batch):
    logits, lengths = batch
    changed = logits.clone()
    for n, length in enumerate(lengths):
        changed[n, length:] = torch.arange(logits.shape[2]).float() * 10
    one, two = decode_ctc(logits, lengths), decode_ctc(changed, lengths)
    assert [labels.tolist() for labels in one.labels] == [labels.tolist() for labels in two.labels]
    np.testing.assert_array_equal(one.path, two.path)
    np.testing.assert_array_equal(one.confidence, two.confidence)
    np.testing.assert_array_equal(one.scores, two.scores)


def showing(*paths):
    return torch.nn.functional.one_hot(torch.tensor(paths), 4).float() * 50


def test_repeats_merge_unless_a_blank_parts_them_and_never_across_samples():
    decoded = decode_ctc(showing([1, 1, 0, 1, 2], [2, 2, 2, 3, 2]), torch.tensor([5, 5]))
    assert [labels.tolist() for labels in decoded.labels] == [[1, 1, 2], [2, 3, 2]]


def test_what_reads_as_nothing_is_empty():
    decoded = decode_ctc(showing([0, 0], [0, 3], [0, 0]), torch.tensor([2, 2, 1]))
    assert [labels.tolist() for labels in decoded.labels] == [[], [3], []]
    nothing = decode_ctc(showing([0, 0], [0, 3]), torch.tensor([2, 1]))
    assert [labels.tolist() for labels in nothing.labels] == [[], []]
    assert all(labels.dtype == np.int64 for labels in nothing.labels)
    np.testing.assert_allclose(nothing.confidence, 1)


def test_logits_stay_as_they_are_and_may_need_a_gradient():
    logits = torch.randn(2, 3, 4, requires_grad=True)
    before = logits.detach().clone()
    decode_ctc(logits, torch.tensor([3, 2]))
    torch.testing.assert_close(logits.detach(), before, rtol=0, atol=0)


def test_of_equals_the_first_class_is_best():
    assert decode_ctc(torch.tensor([[[0.0, 2.0, 2.0]]]), torch.tensor([1])).path.tolist() == [[1]]


@settings(max_examples=60)
@given(batches())
def test_ace_keeps_every_label_that_is_not_blank(batch):
    logits, lengths = batch
    decoded, merged = decode_ace(logits, lengths), decode_ctc(logits, lengths)
    for n, length in enumerate(lengths):
        best = [row.index(max(row)) for row in logits[n, :length].tolist()]
        assert decoded.labels[n].tolist() == [label for label in best if label != 0]
        assert decoded.path[n].tolist() == best + [0] * (logits.shape[1] - length)
    np.testing.assert_array_equal(decoded.confidence, merged.confidence)


def test_ace_merges_no_repeats():
    logits, lengths = showing([1, 1, 0, 2, 2, 1]), torch.tensor([5])
    assert decode_ace(logits, lengths).labels[0].tolist() == [1, 1, 2, 2]
    assert decode_ctc(logits, lengths).labels[0].tolist() == [1, 2]


@settings(max_examples=100)
@given(batches(), st.booleans())
def test_seq2seq_stops_at_the_first_end_of_sequence(batch, ties):
    logits, lengths = batch
    logits = logits.round() if ties else logits
    decoded = decode_seq2seq(logits, lengths)
    for n, rows in enumerate(logits.double().softmax(-1).numpy()):
        labels, confidence = [], 1.0
        for row in rows[: lengths[n]]:
            best = int(row.argmax())
            confidence *= row[best]
            if best == 0:
                break
            labels.append(best)
        assert decoded.labels[n].tolist() == labels
        assert decoded.path[n].tolist() == labels + [0] * (len(rows) - len(labels))
        np.testing.assert_allclose(decoded.confidence[n], confidence, rtol=1e-5)
