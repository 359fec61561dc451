from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.core.types import FeatureDims, Features, Targets
from bench.decoding.greedy import GreedyDecoder
from bench.losses.ace import ACE

FEATURES, CLASSES = 3, 4
samples_of = st.lists(
    st.tuples(st.integers(1, 7), st.lists(st.integers(1, CLASSES - 1), max_size=5)),
    min_size=1,
    max_size=3,
)


def padded(samples):
    """Return the targets of (frames, target) pairs; its padding is no blank."""
    width = max(len(target) for _, target in samples) + 1
    return Targets(
        torch.tensor([length for length, _ in samples]),
        torch.tensor([target + [3] * (width - len(target)) for _, target in samples]),
        torch.tensor([len(target) for _, target in samples]),
    )


def logits_of(seed, samples, spread=1.0):
    frames = max(length for length, _ in samples) + 1
    generator = torch.Generator().manual_seed(seed)
    return spread * torch.randn(len(samples), frames, CLASSES, generator=generator).double()


def naive(logits, target):
    """Write equation by equation what one sample without padding adds."""
    frames = len(logits)
    if frames < len(target):
        return 0.0
    counts = [target.count(k) for k in range(CLASSES)]
    counts[0] = frames - len(target)
    total = 0.0
    for k in range(CLASSES):
        aggregated = sum(math.exp(row[k]) / sum(map(math.exp, row)) for row in logits)
        total -= counts[k] / frames * math.log(aggregated / frames)
    return total


@settings(max_examples=80)
@given(samples_of, st.integers(0, 2**32))
def test_objective_is_that_of_the_formula(samples, seed):
    logits = logits_of(seed, samples)
    expected = [
        naive(logits[n, :length].tolist(), target) for n, (length, target) in enumerate(samples)
    ]
    found = ACE().losses(logits, padded(samples))
    for n, (length, target) in enumerate(samples):
        if length >= len(target):
            assert found[n].item() == pytest.approx(expected[n], rel=1e-9, abs=1e-12)
    identity = torch.nn.Identity()
    objective = ACE().objective(identity, Features(logits), padded(samples))
    assert objective.item() == pytest.approx(sum(expected) / len(samples), rel=1e-5, abs=1e-6)


@settings(max_examples=15)
@given(samples_of, st.integers(0, 2**32), st.sampled_from([0.0, 1.0, 5.0]))
def test_gradients_are_those_of_the_differences(samples, seed, spread):
    truth = padded(samples)
    logits = logits_of(seed, samples, spread).requires_grad_()
    assert torch.autograd.gradcheck(lambda logits: ACE().losses(logits, truth), logits)


def test_the_order_of_the_target_has_no_say():
    logits = logits_of(0, [(6, [])])
    losses = [ACE().losses(logits, padded([(6, target)])) for target in ([1, 2, 1], [2, 1, 1])]
    torch.testing.assert_close(*losses)


def test_classes_that_no_frame_says_have_a_finite_loss_and_pull():
    logits = torch.zeros(1, 3, CLASSES)
    logits[..., 0] = 1e4  # The softmax of the others is 0 in single precision.
    logits.requires_grad_()
    loss = ACE().losses(logits, padded([(3, [1, 2])]))
    (gradient,) = torch.autograd.grad(loss.sum(), logits)
    assert loss.isfinite().all()
    assert (gradient[0, :, 1:3] < 0).all()


@pytest.mark.parametrize(
    ("frames", "target", "fits"),
    [(2, [1, 1], True), (2, [1, 2], True), (1, [1, 2], False), (3, [], True)],
)
def test_a_target_fits_where_there_is_a_frame_for_each_label(frames, target, fits):
    assert ACE().feasible(padded([(frames, target)])).tolist() == [fits]


def test_the_least_loss_reads_as_the_target():
    truth = padded([(6, [1, 1, 2]), (4, [3])])
    torch.manual_seed(0)
    logits = torch.randn(2, 6, CLASSES, requires_grad=True)
    optimizer = torch.optim.Adam([logits], 0.3)
    for _ in range(100):
        optimizer.zero_grad()
        ACE().losses(logits, truth).sum().backward()
        optimizer.step()
    decoded = GreedyDecoder().build(ACE.decoder, ())(logits.detach(), truth.lengths)
    assert [sorted(labels.tolist()) for labels in decoded.labels] == [[1, 1, 2], [3]]


def test_head_is_linear_with_bias():
    head = ACE().head(FeatureDims(FEATURES), CLASSES)
    assert sum(weight.numel() for weight in head.parameters()) == CLASSES * (FEATURES + 1)
