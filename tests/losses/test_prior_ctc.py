from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from all_paths import alignments, cases
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.core.types import FeatureDims, Features, Targets
from bench.losses.ctc import CTC
from bench.losses.prior_ctc import PriorCTC

FEATURES, CLASSES = 3, 4
alphas = st.sampled_from([0.0, 0.3, 1.0])
seeds = st.integers(0, 2**32)


def log_priors(classes, seed):
    drawn = torch.randn(classes, generator=torch.Generator().manual_seed(seed))
    return (3 * drawn).double().log_softmax(0)


@settings(max_examples=80)
@given(cases(), alphas, seeds)
def test_losses_sum_all_paths_of_the_scores(case, alpha, seed):
    log_prior = log_priors(case.logits.shape[2], seed)
    found = PriorCTC(alpha).losses(case.logits.double(), log_prior, case.targets)
    for n, loss in enumerate(found):
        probabilities, target = case.sample(n)
        scores = probabilities / np.exp(log_prior.numpy()) ** alpha
        total = sum(alignments(scores, target).values())
        expected = -math.log(total) if total else 0.0
        assert loss.item() == pytest.approx(expected, rel=1e-9, abs=1e-9)


@settings(max_examples=15)
@given(cases(), alphas, seeds)
def test_gradients_are_those_of_the_differences(case, alpha, seed):
    log_prior = log_priors(case.logits.shape[2], seed)
    logits = case.logits.double().requires_grad_()
    assert torch.autograd.gradcheck(
        lambda logits: PriorCTC(alpha).losses(logits, log_prior, case.targets), logits
    )


def made(loss, seed=0):
    torch.manual_seed(seed)
    head = loss.head(FeatureDims(FEATURES), CLASSES)
    truth = Targets(
        torch.tensor([7, 5, 2]),
        torch.tensor([[1, 2, 2], [3, 0, 0], [1, 1, 0]]),
        torch.tensor([3, 1, 2]),
    )
    return head, torch.randn(3, 7, FEATURES, requires_grad=True), truth


def scored(loss, head, features, truth):
    objective = loss.objective(head, Features(features), truth)
    return objective, torch.autograd.grad(objective, [features, head.weight, head.bias])


@pytest.mark.parametrize("alpha", [0.0, 0.3])
def test_without_alpha_or_without_a_prior_it_is_ctc_to_the_bit(alpha):
    loss = PriorCTC(alpha)
    head, features, truth = made(loss)
    if alpha == 0:
        head.log_prior.copy_(torch.tensor([0.7, 0.1, 0.1, 0.1]).log())
    one, gradients = scored(loss, head, features, truth)
    other, expected = scored(CTC(), head, features, truth)
    assert torch.equal(one, other)
    torch.testing.assert_close(gradients, expected)


def test_a_frequent_blank_is_worth_less():
    logits = torch.zeros(1, 6, CLASSES, requires_grad=True)
    truth = Targets(torch.tensor([6]), torch.tensor([[1, 2]]), torch.tensor([2]))
    log_prior = torch.tensor([0.85, 0.05, 0.05, 0.05]).log()
    pulls = []
    for alpha in (0.0, 0.5, 1.0):
        loss = PriorCTC(alpha).losses(logits, log_prior, truth).sum()
        (gradient,) = torch.autograd.grad(loss, logits)
        pulls.append(gradient[0, :, 0].sum().item())
    # A positive gradient pulls down: the higher α, the fewer blanks.
    assert pulls == sorted(pulls)
    assert pulls[0] < 0 < pulls[-1]


@pytest.mark.parametrize("spread", [1.0, 1e4])
def test_a_prior_at_its_floor_has_a_finite_loss_and_gradients(spread):
    loss = PriorCTC(1.0)
    head, features, truth = made(loss)
    head.log_prior.copy_(torch.tensor([-1e-5, -12.0, -12.0, -12.0]))
    objective, gradients = scored(loss, head, (spread * features).detach().requires_grad_(), truth)
    assert objective.isfinite()
    assert all(gradient.isfinite().all() for gradient in gradients)


def test_padding_and_what_cannot_be_aligned_have_no_say_under_a_prior():
    loss = PriorCTC(0.5)
    head, features, truth = made(loss)
    head.log_prior.copy_(torch.tensor([0.7, 0.1, 0.1, 0.1]).log())
    objective, (gradient, *_) = scored(loss, head, features, truth)
    assert not gradient[1, 5:].any()
    assert not gradient[2].any()
    changed = features.detach().clone()
    changed[1, 5:], changed[2] = 100.0, -100.0
    again = loss.objective(head, Features(changed), truth)
    torch.testing.assert_close(again, objective)


def test_an_epoch_of_objectives_makes_the_prior_of_the_next():
    loss = PriorCTC()
    head, features, truth = made(loss)
    batches = [features, 2 * features, features - 1]
    posteriors = []
    for batch in batches:
        loss.objective(head, Features(batch), truth)
        for n, length in enumerate(truth.lengths.tolist()):
            posteriors += head(batch[n, :length]).double().softmax(-1).tolist()
    head.eval()
    loss.objective(head, Features(features + 1), truth)
    assert not head.log_prior.any()
    loss.on_epoch_end(head)
    np.testing.assert_allclose(head.log_prior, np.log(np.mean(posteriors, 0)), rtol=1e-5)
