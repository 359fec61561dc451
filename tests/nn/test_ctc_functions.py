from __future__ import annotations

from itertools import groupby

import numpy as np
import pytest
import torch
from all_paths import Case, alignments, cases, feasible, naive_posteriors
from hypothesis import given, settings

from bench.nn.ctc_functions import feasible as sample_feasible
from bench.nn.ctc_functions import posteriors, valid_frames
from bench.nn.lattice import best_alignment, key_frames


@settings(max_examples=60)
@given(cases())
def test_posteriors_are_those_of_all_paths(case):
    found = posteriors(*case)
    assert found.shape == case.logits.shape
    for n, frames in enumerate(case.lengths):
        expected = naive_posteriors(*case.sample(n))
        np.testing.assert_allclose(found[n, :frames], expected, atol=2e-5)


@settings(max_examples=60)
@given(cases())
def test_posteriors_sum_to_one_on_valid_frames_of_feasible_targets_only(case):
    sums = posteriors(*case).sum(-1)
    for n, frames in enumerate(case.lengths):
        expected = float(feasible(int(frames), case.sample(n)[1]))
        np.testing.assert_allclose(sums[n, :frames], expected, atol=2e-5)
        assert not sums[n, frames:].any()


@pytest.mark.parametrize(("frames", "target"), [(1, [1, 2]), (2, [1, 1]), (3, [2, 2, 1])])
def test_posteriors_are_zero_for_what_cannot_be_aligned(frames, target):
    logits = torch.randn(1, 5, 3, generator=torch.Generator().manual_seed(0))
    targets, sizes = torch.tensor([target]), torch.tensor([len(target)])
    assert not posteriors(logits, torch.tensor([frames]), targets, sizes).any()
    assert posteriors(logits, torch.tensor([frames + 1]), targets, sizes).any()


def test_posteriors_of_an_only_path_are_one_hot():
    logits = torch.randn(1, 3, 2, generator=torch.Generator().manual_seed(0))
    found = posteriors(logits, torch.tensor([3]), torch.tensor([[1, 1]]), torch.tensor([2]))
    expected = torch.tensor([[[0.0, 1.0], [1.0, 0.0], [0.0, 1.0]]])
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)


def test_posteriors_of_a_target_without_labels_are_blank():
    logits = torch.randn(1, 3, 4, generator=torch.Generator().manual_seed(0))
    found = posteriors(logits, torch.tensor([2]), torch.tensor([[0]]), torch.tensor([0]))
    expected = torch.zeros(1, 3, 4)
    expected[0, :2, 0] = 1
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("margin", [10.0, 20.0, 100.0, 1e4])
def test_posteriors_of_a_certain_path_are_that_path(margin):
    path = [1, 0, 2]
    logits = torch.zeros(1, 3, 3)
    logits[0, torch.arange(3), path] = margin
    found = posteriors(logits, torch.tensor([3]), torch.tensor([[1, 2]]), torch.tensor([2]))
    expected = torch.nn.functional.one_hot(torch.tensor([path]), 3).float()
    torch.testing.assert_close(found, expected, atol=1e-3, rtol=0)


@pytest.mark.parametrize("recording", [True, False])
def test_posteriors_let_no_gradient_through(recording):
    logits = torch.randn(1, 4, 3, generator=torch.Generator().manual_seed(0)).requires_grad_()
    before = logits.detach().clone()
    with torch.set_grad_enabled(recording):
        found = posteriors(logits, torch.tensor([4]), torch.tensor([[1, 2]]), torch.tensor([2]))
    assert not found.requires_grad
    assert logits.grad is None
    assert torch.equal(logits, before)


@settings(max_examples=60)
@given(cases())
def test_best_alignment_is_as_probable_as_any_path(case):
    shown = best_alignment(case.logits.log_softmax(-1), *case[1:])
    for n, frames in enumerate(case.lengths.tolist()):
        probabilities, target = case.sample(n)
        assert (shown[n, frames:] == -1).all()
        positions = shown[n, :frames].tolist()
        if not feasible(frames, target):
            assert positions == [-1] * frames
            continue
        visited = [position for position, _ in groupby(positions) if position != -1]
        assert visited == list(range(len(target)))
        path = tuple(0 if position == -1 else target[position] for position in positions)
        paths = alignments(probabilities, target)
        assert path in paths
        assert paths[path] == pytest.approx(max(paths.values()), rel=1e-4)


@settings(max_examples=40)
@given(cases(min_labels=1))
def test_best_alignment_of_a_sample_does_not_depend_on_its_batch(case):
    together = best_alignment(case.logits.log_softmax(-1), *case[1:])
    for n, frames in enumerate(case.lengths):
        one = case.alone(n)
        alone = best_alignment(one.logits.log_softmax(-1), *one[1:])
        assert torch.equal(together[n : n + 1, :frames], alone)


@settings(max_examples=20)
@given(cases(min_labels=1))
def test_what_stands_on_padding_does_not_matter(case):
    other = case.logits.clone()
    targets = case.labels.clone()
    for n, (frames, labels) in enumerate(zip(case.lengths, case.label_lengths, strict=True)):
        other[n, frames:] = torch.arange(other.shape[2]).float()
        targets[n, labels:] = 1
    changed = Case(other, case.lengths, targets, case.label_lengths)
    torch.testing.assert_close(posteriors(*changed), posteriors(*case))
    one, two = (best_alignment(c.logits.log_softmax(-1), *c[1:]) for c in (case, changed))
    assert torch.equal(one, two)


def test_best_alignment_separates_repeated_labels_by_a_blank():
    log_probs = torch.tensor([[0.1, 0.9]] * 4).log().unsqueeze(0)
    shown = best_alignment(log_probs, torch.tensor([4]), torch.tensor([[1, 1]]), torch.tensor([2]))
    assert shown.tolist() in ([[0, 0, -1, 1]], [[0, -1, 1, 1]])


@settings(max_examples=60)
@given(cases(min_labels=1))
def test_key_frames_are_the_most_probable_of_their_label(case):
    log_probs = case.logits.log_softmax(-1)
    shown = best_alignment(log_probs, *case[1:])
    frames, present = key_frames(log_probs, shown, case.labels)
    for n, u in np.ndindex(*case.labels.shape):
        segment = (shown[n] == u).nonzero().flatten().tolist()
        assert present[n, u] == bool(segment)
        if segment:
            # The first of the largest, as max takes it.
            label = case.labels[n, u]
            assert frames[n, u] == max(segment, key=lambda t: log_probs[n, t, label])
        assert 0 <= frames[n, u] < shown.shape[1]


def test_best_alignment_of_a_target_without_labels_is_blank():
    log_probs = torch.randn(2, 3, 3, generator=torch.Generator().manual_seed(0)).log_softmax(-1)
    lengths, none = torch.tensor([3, 1]), torch.tensor([0, 0])
    for width in (0, 2):
        targets = torch.zeros(2, width, dtype=torch.int64)
        assert (best_alignment(log_probs, lengths, targets, none) == -1).all()


def test_valid_frames_are_those_before_each_length():
    mask = valid_frames(torch.tensor([0, 1, 3]), 3)
    assert mask.dtype == torch.bool
    assert mask.tolist() == [[False] * 3, [True, False, False], [True] * 3]


@settings(max_examples=60)
@given(cases())
def test_feasible_is_what_has_a_path(case):
    found = sample_feasible(*case.targets)
    for n, frames in enumerate(case.lengths):
        assert found[n] == feasible(int(frames), case.sample(n)[1])
        assert found[n] == bool(alignments(*case.sample(n)))
