"""Cross-entropy of symbols against a loop over them."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.core.types import FeatureDims, Features, Targets
from bench.losses.ce import CE

FEATURES, CLASSES = 3, 5

targets_of = st.lists(st.lists(st.integers(1, CLASSES - 1), max_size=4), min_size=1, max_size=4)


def targets(words, room, padding=0):
    width = max(*map(len, words), 1)
    return Targets(
        torch.full((len(words),), room),
        torch.tensor([[*target, *[padding] * (width - len(target))] for target in words]),
        torch.tensor([len(target) for target in words]),
    )


def made(loss, words, room, seed, spread=1.0, more=0):
    torch.manual_seed(seed)
    head = loss.head(FeatureDims(FEATURES), CLASSES)
    steps = min(max(map(len, words)) + 1 + more, room)
    features = torch.randn(len(words), steps, FEATURES) * spread
    return head, features.requires_grad_()


def naive(logits, words, room, smoothing):
    """Return the mean over symbols and ends of the words that fit; logits (N, S, C)."""
    losses = []
    for rows, target in zip(logits.double().log_softmax(-1).tolist(), words, strict=True):
        if len(target) + 1 > room:
            continue
        for row, symbol in zip(rows, [*target, 0], strict=False):
            evenly = sum(row) / len(row)
            losses.append(-(1 - smoothing) * row[symbol] - smoothing * evenly)
    return sum(losses) / max(len(losses), 1)


@settings(max_examples=60)
@given(targets_of, st.integers(1, 6), st.sampled_from([0.0, 0.1, 1.0]), st.integers(0, 99))
def test_the_mean_over_all_symbols_and_ends(words, room, smoothing, seed):
    loss = CE(label_smoothing=smoothing)
    head, features = made(loss, words, room, seed, more=seed % 3)
    found = loss.objective(head, Features(features), targets(words, room, padding=3))
    expected = naive(head(features).detach(), words, room, smoothing)
    assert found.item() == pytest.approx(expected, rel=1e-5, abs=1e-6)
    (gradient,) = torch.autograd.grad(found, features)
    for n, target in enumerate(words):
        taken = len(target) + 1 if len(target) < room else 0
        assert not gradient[n, taken:].any()


def test_what_fits_is_its_symbols_and_its_end():
    assert CE().feasible(targets([[1, 2], [1], [], [1, 1, 1]], room=3)).tolist() == [
        True,
        True,
        True,
        False,
    ]


@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("spread", [0.0, 1e4])
def test_it_is_finite(kind, spread):
    loss, words = CE(label_smoothing=0.1), [[1, 2, 3], [], [4]]
    for room in (4, 1):
        head, features = made(loss, words, room, 0, spread)
        with torch.autocast("cpu", kind, enabled=kind != torch.float32):
            found = loss.objective(head, Features(features), targets(words, room))
        gradients = torch.autograd.grad(found, [features, *head.parameters()])
        assert found.isfinite()
        assert all(gradient.isfinite().all() for gradient in gradients)


def test_equal_logits_cost_the_logarithm_of_the_classes():
    loss = CE()
    head, features = made(loss, [[1, 2]], 3, 0, spread=0.0)
    torch.nn.init.zeros_(head.bias)
    found = loss.objective(head, Features(features), targets([[1, 2]], 3))
    assert found.item() == pytest.approx(math.log(CLASSES))
