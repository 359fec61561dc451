"""What holds for every loss that reads frames, whatever it is."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.core import registry
from bench.core.types import Batch, FeatureDims, Features, Targets

LOSSES = [
    pytest.param(loss(), id=name)
    for name, loss in registry.builtin("loss").items()
    if loss.accepts == "frames"
]
FEATURES, CLASSES = 3, 5

# Frames and targets: T = U, repeats, one frame, no label, and three that cannot be aligned.
HARD = [
    (5, [1, 2, 3, 4, 1]),
    (5, [2, 2, 2]),
    (1, [3]),
    (4, []),
    (2, [1, 2, 3]),
    (2, [1, 1]),
    (1, [1, 2]),
]


def padded(samples, extra=0):
    width = max(max(len(target) for _, target in samples) + extra, 1)
    return Targets(
        torch.tensor([length for length, _ in samples]),
        torch.tensor([target + [0] * (width - len(target)) for _, target in samples]),
        torch.tensor([len(target) for _, target in samples]),
    )


def made(loss, samples, seed=0, spread=1.0, extra=0):
    """Return a head, and a batch of random features with its truth in the views of the loss.

    The features are spread so that logits go as far.
    """
    torch.manual_seed(seed)
    head = loss.head(FeatureDims(FEATURES, FEATURES), CLASSES)
    truth = padded(samples, extra)
    frames = max(length for length, _ in samples) + extra
    inputs = torch.randn(len(samples), frames, 1, 1, FEATURES) * spread
    ids = tuple(str(n) for n in range(len(samples)))
    shown = loss.augmented_views(Batch(inputs, *truth, torch.full_like(truth.labels, -1), ids))
    truth = Targets(shown.lengths, shown.targets, shown.target_lengths)
    return head, shown.inputs.flatten(2).requires_grad_(), truth


def both(features):
    """Return features that are their own visual ones."""
    return Features(features, features)


def assert_finite(loss, head, features, truth):
    objective = loss.objective(head, both(features), truth)
    assert objective.shape == ()
    gradients = torch.autograd.grad(objective, [features, *head.parameters()], allow_unused=True)
    assert objective.isfinite()
    assert all(gradient is None or gradient.isfinite().all() for gradient in gradients)


@pytest.mark.parametrize("loss", LOSSES)
# Logits of 1e4 and more are not finite in float16.
@pytest.mark.parametrize(
    ("kind", "spread"),
    [
        (kind, spread)
        for kind in (torch.float32, torch.bfloat16, torch.float16)
        for spread in (0.0, 1.0, 1e4)
        if (kind, spread) != (torch.float16, 1e4)
    ],
    ids=str,
)
def test_hard_cases_have_a_finite_loss_and_gradients(loss, spread, kind):
    for samples in [HARD, *([sample] for sample in HARD)]:
        head, features, truth = made(loss, samples, spread=spread)
        with torch.autocast("cpu", kind, enabled=kind != torch.float32):
            assert_finite(loss, head, features, truth)


samples_of = st.lists(
    st.tuples(st.integers(1, 8), st.lists(st.integers(1, CLASSES - 1), max_size=4)),
    min_size=1,
    max_size=3,
)


@pytest.mark.parametrize("loss", LOSSES)
@settings(max_examples=20)
@given(samples=samples_of, seed=st.integers(0, 99), label=st.integers(1, CLASSES - 1))
def test_padding_has_neither_say_nor_gradient(loss, samples, seed, label):
    head, features, truth = made(loss, samples, seed, extra=2)
    objective = loss.objective(head, both(features), truth)
    (gradient,) = torch.autograd.grad(objective, features, allow_unused=True)
    changed, other = features.detach().clone(), truth.labels.clone()
    for n, (length, labels) in enumerate(zip(truth.lengths, truth.label_lengths, strict=True)):
        assert gradient is None or not gradient[n, length:].any()
        changed[n, length:] = 100.0
        other[n, labels:] = label
    again = loss.objective(head, both(changed), truth._replace(labels=other))
    torch.testing.assert_close(again, objective)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("doubtful", [(2, [1, 1]), (1, [1, 2])], ids=str)
def test_what_cannot_be_aligned_adds_nothing(loss, doubtful):
    samples = [(5, [1, 2]), doubtful]
    head, features, truth = made(loss, samples)
    objective = loss.objective(head, both(features), truth)
    (gradient,) = torch.autograd.grad(objective, features)
    fits = loss.feasible(truth)
    assert gradient[fits].flatten(1).any(1).all()
    # The center term of radial-ctc pulls nothing either, its angle term all.
    if loss.name != "radial-ctc" and not fits.all():
        assert not gradient[~fits].any()
        first = slice(None, None, len(samples))
        kept = Targets(*(tensor[first] for tensor in truth))
        alone = loss.objective(head, both(features[first]), kept)
        torch.testing.assert_close(objective, alone / 2)


@pytest.mark.parametrize("loss", LOSSES)
def test_descent_lowers_the_objective(loss):
    samples = [(8, [1, 2, 2]), (6, [3, 4])]
    head, features, truth = made(loss, samples)
    step = 0.05
    before = loss.objective(head, both(features), truth)
    (gradient,) = torch.autograd.grad(before, features)
    after = loss.objective(head, both(features - step * gradient), truth)
    assert after < before
