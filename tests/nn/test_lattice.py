"""Likelihood and entropy of alignments against all paths, and against torch's own CTC."""

from __future__ import annotations

import math
from itertools import groupby

import pytest
import torch
from all_paths import alignments, cases, feasible, naive_posteriors
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from bench.core.types import Targets
from bench.nn import lattice

seeds = st.integers(0, 2**32)


def log_probs(case):
    return case.logits.double().log_softmax(-1)


@settings(max_examples=80)
@given(cases())
def test_likelihood_and_entropy_are_those_of_all_paths(case):
    likelihood, entropy = lattice.alignments(log_probs(case), case.targets)
    alone = lattice.log_likelihood(log_probs(case), case.targets)
    for n in range(len(case.lengths)):
        weights = list(alignments(*case.sample(n)).values())
        if not weights:
            assert likelihood[n] < lattice.NEVER / 2
            assert alone[n] < lattice.NEVER / 2
            assert entropy[n] == 0
            continue
        shares = [weight / sum(weights) for weight in weights]
        assert likelihood[n].item() == pytest.approx(math.log(sum(weights)), rel=1e-9, abs=1e-9)
        assert alone[n].item() == pytest.approx(math.log(sum(weights)), rel=1e-9, abs=1e-9)
        expected = -sum(share * math.log(share) for share in shares)
        assert entropy[n].item() == pytest.approx(expected, rel=1e-9, abs=1e-9)


@settings(max_examples=40)
@given(cases())
def test_the_gradient_of_the_likelihood_is_the_posterior(case):
    leaf = log_probs(case).requires_grad_()
    for likelihood in (
        lattice.log_likelihood(leaf, case.targets),
        lattice.alignments(leaf, case.targets)[0],
    ):
        (gradient,) = torch.autograd.grad(likelihood.sum(), leaf)
        for n, frames in enumerate(case.lengths):
            expected = torch.zeros_like(gradient[n])
            if feasible(int(frames), case.sample(n)[1]):
                expected[:frames] = torch.from_numpy(naive_posteriors(*case.sample(n)))
            torch.testing.assert_close(gradient[n], expected)


@settings(max_examples=8)
@given(cases())
def test_gradients_are_those_of_finite_differences(case):
    logits = case.logits.double().requires_grad_()

    def entropy(values):
        return lattice.alignments(values.log_softmax(-1), case.targets)[1]

    def possible(values):
        found = lattice.log_likelihood(values.log_softmax(-1), case.targets)
        return found.where(found > lattice.NEVER / 2, 0)

    assert torch.autograd.gradcheck(entropy, (logits,))
    assert torch.autograd.gradcheck(possible, (logits,))


@settings(max_examples=100)
@given(seeds, st.integers(1, 40), st.integers(2, 12), st.integers(1, 12), st.integers(1, 10))
def test_it_agrees_with_native_ctc_on_ten_batches_at_once(seed, frames, classes, width, size):
    generator = torch.Generator().manual_seed(seed)

    def whole(low, high, *shape):
        return torch.randint(low, high, shape, generator=generator)

    for _ in range(10):
        logits = 3 * torch.randn(size, frames, classes, generator=generator).double()
        targets, sizes = whole(1, classes, size, width), whole(0, width + 1, size)
        truth = Targets(whole(1, frames + 1, size), targets, sizes)
        leaf = logits.log_softmax(-1).requires_grad_()
        native = functional.ctc_loss(
            leaf.transpose(0, 1), targets, truth.lengths, sizes, reduction="none"
        )
        possible = native.isfinite()
        found = lattice.log_likelihood(leaf, truth)
        assert torch.equal(found > lattice.NEVER / 2, possible)
        torch.testing.assert_close(-found[possible], native[possible], rtol=1e-9, atol=1e-9)
        # Native CTC's gradient is that of the logits, where a log-softmax is taken again.
        (ours,) = torch.autograd.grad(-found[possible].sum(), leaf, allow_unused=True)
        again = logits.clone().requires_grad_()
        (whole_native,) = torch.autograd.grad(
            functional.ctc_loss(
                again.log_softmax(-1).transpose(0, 1),
                targets,
                truth.lengths,
                sizes,
                reduction="sum",
                zero_infinity=True,
            ),
            again,
        )
        if ours is not None:
            through = ours - logits.softmax(-1) * ours.sum(-1, keepdim=True)
            torch.testing.assert_close(through, whole_native, rtol=1e-7, atol=1e-9)


def test_equal_logits_leave_the_entropy_of_counting():
    """Of equally likely paths the entropy is the logarithm of their number."""
    truth = Targets(torch.tensor([6]), torch.tensor([[1, 1, 2]]), torch.tensor([3]))
    flat = torch.zeros(1, 6, 4, dtype=torch.float64).log_softmax(-1)
    number = len(alignments(flat[0].exp().numpy(), (1, 1, 2)))
    _, entropy = lattice.alignments(flat, truth)
    assert entropy.item() == pytest.approx(math.log(number))


def test_an_only_path_has_no_entropy_and_moves_nothing():
    truth = Targets(torch.tensor([3]), torch.tensor([[1, 1]]), torch.tensor([2]))
    leaf = torch.randn(1, 3, 3, generator=torch.Generator().manual_seed(0)).log_softmax(-1)
    leaf.requires_grad_()
    _, entropy = lattice.alignments(leaf, truth)
    (gradient,) = torch.autograd.grad(entropy.sum(), leaf)
    assert entropy.item() == pytest.approx(0, abs=1e-6)
    assert gradient.abs().max() < 1e-6


@settings(max_examples=80)
@given(cases())
def test_segments_with_blanks_are_the_runs_of_the_best_path(case):
    shown = lattice.best_alignment(case.logits.log_softmax(-1), *case.targets)
    segments, classes = lattice.blanks_included(shown, case.targets)
    for n in range(len(shown)):
        frames, (_, target) = int(case.lengths[n]), case.sample(n)
        if not feasible(frames, target):
            assert (segments[n] == -1).all()
            continue
        path = [target[u] if u >= 0 else 0 for u in shown[n, :frames].tolist()]
        runs = [(label, len(list(run))) for label, run in groupby(path)]
        numbers = [
            (number, len(list(run))) for number, run in groupby(segments[n, :frames].tolist())
        ]
        assert [(int(classes[n, number]), size) for number, size in numbers] == runs
        assert [number for number, _ in numbers] == sorted({number for number, _ in numbers})
        assert (segments[n, frames:] == -1).all()
