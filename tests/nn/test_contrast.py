"""The contrast of characters against loops written from the formula."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from bench.nn.contrast import character_contrast
from bench.nn.feedback import EOS

labels_of = st.lists(
    st.lists(st.integers(0, 3), min_size=1, max_size=7), min_size=1, max_size=3
).map(lambda rows: [row + [EOS] * (max(map(len, rows)) - len(row)) for row in rows])


def embeddings(labels, seed=0, size=4):
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.randn(len(labels), len(labels[0]), size, generator=generator, dtype=torch.float64)
    return functional.normalize(drawn, dim=-1)


def naive(vectors, labels, tau):
    """Return the sum over anchors m of -1/|P(m)| Σ log(exp(z_m·z_p/τ) / Σ exp(z_m·z_a/τ))."""
    characters = [m for m, label in enumerate(labels) if label != EOS]
    total = 0.0
    for m in characters:
        others = [a for a in characters if a != m]
        positives = [p for p in others if labels[p] == labels[m]]
        whole = sum(math.exp(vectors[m] @ vectors[a] / tau) for a in others)
        for p in positives:
            share = math.exp(vectors[m] @ vectors[p] / tau) / whole
            total -= math.log(share) / len(positives)
    return total


@settings(max_examples=100)
@given(labels_of, st.sampled_from([0.1, 1.0, 2.0]), st.integers(0, 2**32))
def test_it_is_the_formula(labels, tau, seed):
    vectors = embeddings(labels, seed)
    found = character_contrast(vectors, torch.tensor(labels), tau)
    expected = [naive(rows.numpy(), row, tau) for rows, row in zip(vectors, labels, strict=True)]
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-9, atol=1e-9)


@settings(max_examples=8)
@given(labels_of, st.integers(0, 2**32))
def test_its_gradient_is_that_of_finite_differences(labels, seed):
    vectors = embeddings(labels, seed).requires_grad_()
    known = torch.tensor(labels)
    assert torch.autograd.gradcheck(lambda z: character_contrast(z, known, 0.5), (vectors,))


def test_a_character_is_not_in_its_own_denominator():
    """With itself, even as exp(0), the only pair of a word would cost something."""
    vectors = embeddings([[1, 1]])
    assert character_contrast(vectors, torch.tensor([[1, 1]]), 2.0).item() == pytest.approx(0)


def test_padding_is_in_no_set():
    """Ends and padding behind the characters change nothing, wherever they point."""
    word, seen = [1, 2, 1, 3], embeddings([[1, 2, 1, 3]])
    alone = character_contrast(seen, torch.tensor([word]), 2.0)
    padded = torch.cat([seen, seen[:, :1].expand(1, 46, 4)], 1)
    behind = character_contrast(padded, torch.tensor([word + [EOS] * 46]), 2.0)
    torch.testing.assert_close(behind, alone)
    assert alone > 0


def test_a_positive_that_is_orthogonal_counts():
    vectors = torch.eye(3, dtype=torch.float64).unsqueeze(0)
    found = character_contrast(vectors, torch.tensor([[1, 1, 2]]), 1.0)
    assert found.item() == pytest.approx(2 * math.log(2))


def test_words_without_two_of_a_character_and_words_without_any_cost_nothing():
    labels = [[1, 2, 3], [EOS, EOS, EOS], [2, EOS, EOS]]
    vectors = embeddings(labels).requires_grad_()
    found = character_contrast(vectors, torch.tensor(labels), 2.0)
    assert found.tolist() == [0, 0, 0]
    (gradient,) = torch.autograd.grad(found.sum(), vectors)
    assert not gradient.any()
