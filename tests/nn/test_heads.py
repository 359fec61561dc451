from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.nn.heads import CosineHead, UnitHead, cosines, unit

seeds = st.integers(0, 2**32)
scales = st.floats(0.5, 64)


def cosine_head(scale, features=3, classes=5):
    torch.manual_seed(0)
    return CosineHead(features, classes, scale)


def vectors(seed, *shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@settings(max_examples=25)
@given(scales, seeds)
def test_logits_are_scaled_cosines(scale, seed):
    head = cosine_head(scale)
    features = vectors(seed, 2, 4, 3)
    logits = head(features).detach()
    assert logits.shape == (2, 4, 5)
    assert logits.abs().max() <= scale * (1 + 1e-6)
    rows, columns = features.double().numpy(), head.weight.detach().double().numpy()
    norms = np.linalg.norm(rows, axis=-1)[..., None] * np.linalg.norm(columns, axis=-1)
    np.testing.assert_allclose(logits, scale * (rows @ columns.T) / norms, atol=1e-5 * scale)


@settings(max_examples=25)
@given(scales, seeds, st.floats(1e-2, 1e6))
def test_logits_do_not_depend_on_the_length_of_features_or_weights(scale, seed, factor):
    head = cosine_head(scale)
    features = torch.nn.functional.normalize(vectors(seed, 4, 3), dim=-1)
    expected = head(features)
    torch.testing.assert_close(head(features * factor), expected, atol=1e-5 * scale, rtol=0)
    with torch.no_grad():
        head.weight *= factor
    torch.testing.assert_close(head(features), expected, atol=1e-5 * scale, rtol=0)


def test_logits_reach_the_scale_on_the_weights_themselves():
    head = cosine_head(16.0)
    diagonal = head(head.weight).diagonal()
    torch.testing.assert_close(diagonal, torch.full((5,), 16.0))
    torch.testing.assert_close(head(-head.weight).diagonal(), torch.full((5,), -16.0))


def test_the_zero_vector_has_zero_logits_and_a_finite_gradient():
    head = cosine_head(16.0)
    features = torch.zeros(1, 3, requires_grad=True)
    logits = head(features)
    logits.sum().backward()
    assert not logits.any()
    assert features.grad.isfinite().all()
    assert head.weight.grad.isfinite().all()


def test_the_head_has_no_bias():
    assert [name for name, _ in cosine_head(1.0).named_parameters()] == ["weight"]


@pytest.mark.parametrize("length", [1e-3, 1.0, 1e4])
def test_unit_scales_to_length_one(length):
    found = unit(length * torch.tensor([[3.0, 4.0], [0.0, -1.0]]))
    torch.testing.assert_close(found, torch.tensor([[0.6, 0.8], [0.0, -1.0]]))


def test_unit_leaves_the_zero_vector():
    assert not unit(torch.zeros(2, 3)).any()


def test_cosines_have_the_gradient_of_torch():
    torch.manual_seed(0)
    features, directions = torch.randn(2, 4, 3), unit(torch.randn(5, 3))
    weights = torch.randn(2, 4, 5)

    def plain(features, directions):
        return (unit(features) @ directions.T * weights).sum()

    pairs = []
    for function in (plain, lambda f, d: (cosines(f, d) * weights).sum()):
        leaves = [x.clone().requires_grad_() for x in (features, directions)]
        pairs.append(torch.autograd.grad(function(*leaves), leaves))
    for ours, torchs in zip(*pairs, strict=True):
        torch.testing.assert_close(ours, torchs)


def test_the_cosine_with_a_zero_vector_is_zero_with_a_finite_gradient():
    features = torch.zeros(2, 3, requires_grad=True)
    found = cosines(features, unit(torch.ones(4, 3)))
    (gradient,) = torch.autograd.grad(found.sum(), features)
    assert not found.any()
    assert gradient.isfinite().all()


def test_unit_weights_leave_features_their_length():
    torch.manual_seed(0)
    head, features = UnitHead(3, 5), vectors(0, 2, 4, 3)
    assert [name for name, _ in head.named_parameters()] == ["weight"]
    logits = head(features)
    scaled = cosines(features, unit(head.weight)) * features.norm(dim=-1, keepdim=True)
    torch.testing.assert_close(logits, scaled)
    torch.testing.assert_close(head(2 * features), 2 * logits)
    with torch.no_grad():
        head.weight *= 10
    torch.testing.assert_close(head(features), logits)
