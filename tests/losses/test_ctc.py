from __future__ import annotations

from itertools import groupby, product
from math import log, prod

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.core.types import FeatureDims, Features, Targets
from bench.losses.ctc import CTC

FEATURES, CLASSES = 3, 4


def linear_head():
    torch.manual_seed(0)
    return CTC().head(FeatureDims(FEATURES), CLASSES)


def frames(seed, *shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def padded(samples):
    """Return the targets of (frames, target) pairs."""
    width = max(len(target) for _, target in samples)
    return Targets(
        torch.tensor([length for length, _ in samples]),
        torch.tensor([target + [0] * (width - len(target)) for _, target in samples]),
        torch.tensor([len(target) for _, target in samples]),
    )


def likelihood(probabilities, target):
    """Sum the probability of every path that reads as the target."""
    return sum(
        prod(frame[label] for frame, label in zip(probabilities, path, strict=True))
        for path in product(range(CLASSES), repeat=len(probabilities))
        if [label for label, _ in groupby(path) if label] == target
    )


@settings(max_examples=40)
@given(
    samples=st.lists(
        st.tuples(st.integers(1, 5), st.lists(st.integers(1, CLASSES - 1), min_size=1, max_size=2)),
        min_size=1,
        max_size=3,
    ),
    extra=st.integers(0, 2),
    seed=st.integers(0, 2**32),
)
def test_objective_is_the_mean_negative_log_likelihood_a_label(samples, extra, seed):
    head = linear_head()
    features = frames(seed, len(samples), max(length for length, _ in samples) + extra, FEATURES)
    probabilities = head(features).double().softmax(-1).tolist()
    expected = 0.0
    for n, (length, target) in enumerate(samples):
        found = likelihood(probabilities[n][:length], target)
        if found:
            expected -= log(found) / len(target) / len(samples)
    objective = CTC().objective(head, Features(features), padded(samples))
    assert objective.shape == ()
    assert objective.item() == pytest.approx(expected, rel=1e-4, abs=1e-5)


@pytest.mark.parametrize("infeasible", [(1, [1, 2]), (2, [1, 1]), (2, [3, 2, 1])])
def test_a_target_that_does_not_fit_adds_nothing(infeasible):
    head = linear_head()
    features = frames(0, 2, 4, FEATURES).requires_grad_()
    fine = (4, [1, 2])
    alone = CTC().objective(head, Features(features[:1]), padded([fine]))
    both = CTC().objective(head, Features(features), padded([fine, infeasible]))
    torch.testing.assert_close(both, alone / 2)
    (gradient,) = torch.autograd.grad(both, features)
    assert gradient[0].any()
    assert not gradient[1].any()


def test_padding_has_neither_say_nor_gradient():
    head = linear_head()
    features = frames(0, 2, 6, FEATURES).requires_grad_()
    truth = padded([(3, [1, 2]), (5, [3])])
    objective = CTC().objective(head, Features(features), truth)
    (gradient,) = torch.autograd.grad(objective, features)
    assert not gradient[0, 3:].any()
    assert not gradient[1, 5:].any()
    changed = features.detach().clone()
    changed[0, 3:], changed[1, 5:], truth.labels[1, 1] = 7.0, -7.0, 2
    torch.testing.assert_close(CTC().objective(head, Features(changed), truth), objective)


def test_head_is_linear_with_bias():
    head = linear_head()
    assert sum(parameter.numel() for parameter in head.parameters()) == CLASSES * (FEATURES + 1)
    features = frames(0, 2, 5, FEATURES)
    torch.testing.assert_close(head(features), features @ head.weight.T + head.bias)
