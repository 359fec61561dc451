from __future__ import annotations

import math

import pytest
import torch
from all_paths import alignments, cases
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.core.types import Batch, FeatureDims, Features, Targets
from bench.losses.cr_ctc import CRCTC
from bench.losses.ctc import CTC

alphas = st.sampled_from([0.0, 0.2, 1.0])
seeds = st.integers(0, 2**32)


def two_views(case, seed):
    """Return the logits (2N, T, C) of two views in double precision, and their targets."""
    noise = torch.randn(case.logits.shape, generator=torch.Generator().manual_seed(seed))
    both = torch.cat([case.logits, (case.logits + noise).clamp(-6, 6)]).double()
    return both, Targets(*(torch.cat([tensor, tensor]) for tensor in case.targets))


def divergence(one, other):
    return sum(
        p * (math.log(p) - math.log(q))
        for frame, against in zip(one, other, strict=True)
        for p, q in zip(frame, against, strict=True)
    )


def naive(case, both, alpha):
    """Write the paper's sum for each sample, by its target length, averaged over N."""
    total, count = 0.0, len(case.lengths)
    for n, (length, labels) in enumerate(zip(case.lengths, case.label_lengths, strict=True)):
        target = tuple(case.labels[n, :labels].tolist())
        a, b = (both[row, :length].softmax(-1).numpy() for row in (n, n + count))
        if not (paths := alignments(a, target)):
            continue
        ctc = -0.5 * math.log(sum(paths.values()))
        ctc -= 0.5 * math.log(sum(alignments(b, target).values()))
        cr = 0.5 * (divergence(b.tolist(), a.tolist()) + divergence(a.tolist(), b.tolist()))
        total += (ctc + alpha * cr) / max(len(target), 1) / count
    return total


@settings(max_examples=60)
@given(cases(), alphas, seeds)
def test_objective_is_that_of_the_paper(case, alpha, seed):
    both, truth = two_views(case, seed)
    expected = naive(case, both, alpha)
    exact = CRCTC(alpha).losses(both, truth) / truth.label_lengths.clamp(min=1)
    assert exact.mean().item() == pytest.approx(expected, rel=1e-9, abs=1e-9)
    objective = CRCTC(alpha).objective(torch.nn.Identity(), Features(both), truth)
    assert objective.item() == pytest.approx(expected, rel=1e-4, abs=1e-5)


@settings(max_examples=15)
@given(cases(), seeds)
def test_only_the_view_that_is_judged_has_a_gradient(case, seed):
    both, truth = two_views(case, seed)
    fixed = both.log_softmax(-1).roll(len(both) // 2, 0)
    counted = torch.arange(both.shape[1]) < truth.lengths.unsqueeze(1)
    counted &= CTC().feasible(truth).unsqueeze(1)

    def against_constants(logits):
        losses = CRCTC(alpha=0.0).losses(logits, truth)
        apart = (fixed.exp() * (fixed - logits.log_softmax(-1))).sum(2)
        return losses + 0.7 * apart.where(counted, 0).sum(1)

    logits = both.requires_grad_()
    found = torch.autograd.grad(CRCTC(alpha=0.7).losses(logits, truth).sum(), logits)
    expected = torch.autograd.grad(against_constants(logits).sum(), logits)
    torch.testing.assert_close(found, expected)


def batch_of(inputs, truth):
    ids = tuple(str(n) for n in range(len(inputs)))
    return Batch(inputs, *truth, torch.full_like(truth.labels, -1), ids)


@settings(max_examples=20)
@given(cases(), seeds)
def test_without_alpha_and_masks_it_is_ctc(case, seed):
    loss, features = CRCTC(alpha=0.0, masks=0), case.logits[..., :2]
    torch.manual_seed(seed)
    head = loss.head(FeatureDims(2), case.logits.shape[2])
    shown = loss.augmented_views(batch_of(features[:, :, None, None], case.targets))
    truth = Targets(shown.lengths, shown.targets, shown.target_lengths)
    found = loss.objective(head, Features(shown.inputs.flatten(2)), truth)
    expected = CTC().objective(head, Features(features), case.targets)
    torch.testing.assert_close(found, expected)


def test_equal_views_differ_in_nothing_and_the_order_of_views_has_no_say():
    torch.manual_seed(0)
    logits = torch.randn(2, 6, 4)
    truth = Targets(torch.tensor([6, 6]), torch.tensor([[1, 2]] * 2), torch.tensor([2, 2]))
    same = logits[:1].repeat(2, 1, 1)
    torch.testing.assert_close(CRCTC(9.0).losses(same, truth), CRCTC(0.0).losses(same, truth))
    losses = CRCTC(9.0).losses(logits, truth)
    assert (losses > CRCTC(0.0).losses(logits, truth)).all()
    torch.testing.assert_close(CRCTC(9.0).losses(logits.flip(0), truth).flip(0), losses)


def test_views_are_drawn_from_the_global_generator():
    torch.manual_seed(0)
    truth = Targets(torch.tensor([40, 40]), torch.tensor([[1], [2]]), torch.tensor([1, 1]))
    batch = batch_of(torch.ones(2, 40, 1, 2, 2), truth)
    drawn = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        drawn.append(CRCTC().augmented_views(batch).inputs)
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])
    # No more than ⌊0.375 · 40⌋ of the frames are hidden.
    assert ((drawn[0] == 0).all((2, 3, 4)).sum(1) <= 15).all()
