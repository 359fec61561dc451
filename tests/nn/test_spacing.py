"""Spaced likelihood and entropy against all paths there are, and against CTC without a limit."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
import torch
from all_paths import alignments, cases, feasible, segments, shares_of, spaced
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bench.core.types import Targets
from bench.nn import lattice
from bench.nn.ctc_functions import feasible as can_align
from bench.nn.spacing import limits, spaced_alignments, spaced_likelihood

taus = st.sampled_from([1.0, 1.25, 1.5, 2.0])
tiny = cases(max_labels=4, max_frames=6)
seeds = st.integers(0, 2**32)


def log_probs(case):
    return case.logits.double().log_softmax(-1)


def limit(frames, target, tau):
    if not target:
        return frames
    return min(math.floor(Fraction(tau) * (Fraction(frames, len(target)) + 1)), frames)


def paths_of(case, n, tau):
    probabilities, target = case.sample(n)
    found = alignments(probabilities, target)
    return spaced(found, limit(len(probabilities), target, tau))


def drawn(seed, size=6, frames=30, labels=12, classes=4):
    """Return log-probabilities and what they should read, of all lengths that are possible."""
    generator = torch.Generator().manual_seed(seed)

    def whole(low, high, *shape):
        return torch.randint(low, high, shape, generator=generator)

    logits = 3 * torch.randn(size, frames, classes, generator=generator).double()
    targets = whole(1, classes, size, labels)
    truth = Targets(whole(1, frames + 1, size), targets, whole(0, labels + 1, size))
    return logits.log_softmax(-1), truth


def test_segments_are_the_blanks_before_a_run_and_the_run():
    assert segments((0, 1, 1, 2, 0, 0)) == [3, 1, 2]
    assert segments((1, 0, 1)) == [1, 2, 0]
    assert segments((0, 0)) == [2]


@settings(max_examples=60)
@given(tiny, taus)
def test_likelihood_and_entropy_are_those_of_all_spaced_paths(case, tau):
    likelihood, entropy = spaced_alignments(log_probs(case), case.targets, tau)
    alone = spaced_likelihood(log_probs(case), case.targets, tau)
    for n in range(len(case.lengths)):
        weights = list(paths_of(case, n, tau).values())
        if not weights:
            assert likelihood[n] < lattice.NEVER / 2
            assert alone[n] < lattice.NEVER / 2
            assert entropy[n] == 0
            continue
        shares = [weight / sum(weights) for weight in weights]
        expected = -sum(share * math.log(share) for share in shares)
        assert likelihood[n].item() == pytest.approx(math.log(sum(weights)), rel=1e-9, abs=1e-9)
        assert alone[n].item() == pytest.approx(math.log(sum(weights)), rel=1e-9, abs=1e-9)
        assert entropy[n].item() == pytest.approx(expected, rel=1e-9, abs=1e-9)


@settings(max_examples=40)
@given(tiny, taus)
def test_the_gradient_of_the_likelihood_is_the_posterior(case, tau):
    leaf = log_probs(case).requires_grad_()
    for likelihood in (
        spaced_likelihood(leaf, case.targets, tau),
        spaced_alignments(leaf, case.targets, tau)[0],
    ):
        (gradient,) = torch.autograd.grad(likelihood.sum(), leaf)
        for n, frames in enumerate(case.lengths):
            shares = shares_of(paths_of(case, n, tau), case.sample(n)[0])
            expected = torch.zeros_like(gradient[n])
            expected[:frames] = torch.from_numpy(shares)
            torch.testing.assert_close(gradient[n], expected, rtol=1e-9, atol=1e-9)


@pytest.mark.slow
@settings(max_examples=8)
@given(tiny, taus)
def test_gradients_are_those_of_finite_differences(case, tau):
    logits = case.logits.double().requires_grad_()

    def entropy(values):
        return spaced_alignments(values.log_softmax(-1), case.targets, tau)[1]

    def possible(values):
        found = spaced_likelihood(values.log_softmax(-1), case.targets, tau)
        return found.where(found > lattice.NEVER / 2, 0)

    assert torch.autograd.gradcheck(entropy, (logits,))
    assert torch.autograd.gradcheck(possible, (logits,))


@settings(max_examples=60)
@given(seeds, st.integers(1, 30), st.integers(1, 12), st.integers(2, 6))
def test_without_a_limit_it_is_ctc(seed, frames, labels, classes):
    values, truth = drawn(seed, 4, frames, labels, classes)
    leaf = values.requires_grad_()
    for tau in (1e300, 40.0):
        found, expected = spaced_alignments(leaf, truth, tau), lattice.alignments(leaf, truth)
        possible = expected[0] > lattice.NEVER / 2
        assert torch.equal(found[0] > lattice.NEVER / 2, possible)
        torch.testing.assert_close(found[0][possible], expected[0][possible])
        torch.testing.assert_close(found[1], expected[1])
        for ours, theirs in zip(found, expected, strict=True):
            torch.testing.assert_close(
                torch.autograd.grad(ours.sum(), leaf, retain_graph=True),
                torch.autograd.grad(theirs.sum(), leaf, retain_graph=True),
                rtol=1e-7,
                atol=1e-9,
            )


def frame_by_frame(values, target, limit):
    """Return the log sum of the spaced paths, a frame at a time: by label, kind and time in it."""
    ways = {(0, False, 0): 0.0}
    for row in values:
        after = {}
        for (done, shows, age), weight in ways.items():
            steps = [(done, False, 1 if shows else age + 1, 0)]
            if shows:
                steps.append((done, True, age + 1, target[done - 1]))
            if done < len(target):
                repeats = shows and target[done] == target[done - 1]
                now = 1 if shows else age + 1
                steps += [] if repeats else [(done + 1, True, now, target[done])]
            for *state, label in steps:
                if state[2] <= limit:
                    key, value = tuple(state), weight + row[label]
                    after[key] = max(after.get(key, -math.inf), value) + math.log1p(
                        math.exp(-abs(after.get(key, -math.inf) - value))
                    )
        ways = after
    ended = [weight for (done, _, _), weight in ways.items() if done == len(target)]
    return math.log(math.fsum(map(math.exp, ended))) if ended else -math.inf


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("tau", [1.0, 1.5])
def test_long_batches_of_many_lengths_are_those_of_a_recursion_over_frames(seed, tau):
    values, truth = drawn(seed)
    found = spaced_likelihood(values, truth, tau)
    for n, (frames, target, size) in enumerate(zip(*map(torch.Tensor.tolist, truth), strict=True)):
        labels = target[:size]
        expected = frame_by_frame(values[n, :frames].tolist(), labels, limit(frames, labels, tau))
        if expected == -math.inf:
            assert found[n] < lattice.NEVER / 2
        else:
            assert found[n].item() == pytest.approx(expected, rel=1e-9)


@settings(max_examples=300)
@given(
    st.integers(1, 60),
    st.lists(st.integers(1, 2), max_size=40),
    st.floats(1, 3),
)
@example(5, [1, 2, 2, 1], 1.0)  # The printed limit of 1.25 leaves no blank between equal labels.
@example(12, [1, 2] * 5, 1.0)  # And here no room for twelve frames: ten labels and one blank.
def test_what_ctc_can_align_has_a_spaced_path(frames, target, tau):
    truth = Targets(
        torch.tensor([frames]), torch.tensor([target or [0]]), torch.tensor([len(target)])
    )
    flat = torch.zeros(1, frames, 3, dtype=torch.float64).log_softmax(-1)
    found = spaced_likelihood(flat, truth, tau).item() > lattice.NEVER / 2
    assert found == feasible(frames, target)
    assert found == can_align(*truth).item()


def test_the_limit_is_that_of_the_authors_and_never_beyond_the_frames():
    truth = Targets(
        torch.tensor([41, 26, 128, 5, 7, 12]),
        torch.ones(6, 45, dtype=torch.int64),
        torch.tensor([4, 8, 45, 1, 0, 3]),
    )
    assert limits(truth, 1.5).tolist() == [16, 6, 5, 5, 7, 7]
    assert limits(truth, 1.2).tolist() == [13, 5, 4, 5, 7, 6]


def test_groups_of_samples_do_not_touch_each_other():
    values, truth = drawn(7, size=8)
    leaf = values.requires_grad_()
    together = spaced_alignments(leaf, truth, 1.5)
    for n, frames in enumerate(truth.lengths.tolist()):
        alone = spaced_alignments(
            leaf[n : n + 1, :frames], Targets(*(part[n : n + 1] for part in truth)), 1.5
        )
        for whole, one in zip(together, alone, strict=True):
            torch.testing.assert_close(whole[n : n + 1], one)
            torch.testing.assert_close(
                torch.autograd.grad(whole[n], leaf, retain_graph=True),
                torch.autograd.grad(one.sum(), leaf, retain_graph=True),
            )


@pytest.mark.parametrize("spread", [0.0, 3.0, 30.0, 1e4])
def test_in_single_precision_posteriors_are_those_of_double(spread):
    generator = torch.Generator().manual_seed(0)
    logits = spread * torch.randn(4, 60, 8, generator=generator)
    targets = torch.randint(1, 8, (4, 20), generator=generator)
    truth = Targets(torch.tensor([60, 50, 45, 60]), targets, torch.tensor([20, 12, 20, 1]))
    found = []
    for kind in (torch.float32, torch.float64):
        leaf = logits.to(kind).log_softmax(-1).requires_grad_()
        likelihood = spaced_likelihood(leaf, truth, 1.5)
        (gradient,) = torch.autograd.grad(likelihood.sum(), leaf)
        assert gradient.isfinite().all()
        torch.testing.assert_close(gradient.sum((1, 2)), truth.lengths.to(kind), rtol=1e-4, atol=0)
        found.append((likelihood.double(), gradient.double()))
    torch.testing.assert_close(found[0][0], found[1][0], rtol=1e-6, atol=1e-4)
    if spread <= 30:  # Beyond, single precision does not tell the best two paths apart.
        torch.testing.assert_close(found[0][1], found[1][1], rtol=0, atol=2e-3)
