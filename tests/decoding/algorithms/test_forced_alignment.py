"""The most probable path of a target, and its probability over all paths, by trying all paths."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from all_paths import alignments, cases, collapsed, feasible, probability
from hypothesis import given, settings

from bench.decoding.algorithms.forced_alignment import align, log_likelihood, padded


def aligned(case):
    return align(case.logits.log_softmax(-1), *case[1:])


@settings(max_examples=150)
@given(cases())
def test_the_path_is_the_best_of_all_that_read_as_the_target(case):
    decoded = aligned(case)
    for n, length in enumerate(case.lengths.tolist()):
        probabilities, target = case.sample(n)
        path = tuple(decoded.path[n, :length].tolist())
        assert decoded.labels[n].tolist() == list(target)
        assert not decoded.path[n, length:].any()
        assert not decoded.scores[n, length:].any()
        paths = alignments(probabilities, target)
        assert decoded.confidence[n] == pytest.approx(sum(paths.values()), rel=1e-4)
        assert np.exp(decoded.scores[n].sum()) == pytest.approx(
            probability(path, probabilities), rel=1e-4
        )
        if paths:
            assert collapsed(path) == target
            assert paths[path] == pytest.approx(max(paths.values()), rel=1e-4)


@settings(max_examples=50)
@given(cases())
def test_each_label_of_the_target_has_a_span_unless_its_frames_are_too_few(case):
    spans = aligned(case).spans()
    for n, length in enumerate(case.lengths.tolist()):
        _, target = case.sample(n)
        possible = feasible(length, target)
        assert [span.label for span in spans.of_sample(n)] == (list(target) if possible else [])
        assert all(0 <= span.start <= span.key < span.end <= length for span in spans.of_sample(n))


@settings(max_examples=30)
@given(cases())
def test_a_sample_is_aligned_alike_alone_and_in_a_padded_batch(case):
    spans = aligned(case).spans()
    for n in range(len(case.lengths)):
        assert aligned(case.alone(n)).spans().of_sample(0) == spans.of_sample(n)


def test_targets_without_any_label_are_blank_throughout():
    log_probs = torch.randn(2, 3, 4).log_softmax(-1)
    lengths, none = torch.tensor([3, 2]), torch.zeros(2, dtype=torch.int64)
    decoded = align(log_probs, lengths, torch.zeros(2, 0, dtype=torch.int64), none)
    assert not decoded.path.any()
    np.testing.assert_allclose(decoded.confidence, np.exp(decoded.scores.sum(1)), rtol=1e-5)
    np.testing.assert_array_equal(decoded.blank_ratio(), 1)


def test_labels_are_padded_as_ctc_requires():
    labels = [np.array([2, 1]), np.array([], dtype=np.int64), np.array([3])]
    targets, lengths = padded(labels, torch.device("cpu"))
    assert targets.tolist() == [[2, 1], [0, 0], [3, 0]]
    assert lengths.tolist() == [2, 0, 1]
    found = log_likelihood(
        torch.full((3, 2, 4), 0.25).log(), torch.tensor([2, 2, 1]), targets, lengths
    )
    np.testing.assert_allclose(found.exp(), [1 / 16, 1 / 16, 1 / 4], rtol=1e-5)
