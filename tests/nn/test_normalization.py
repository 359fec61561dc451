from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.nn.normalization import InstanceNorm


def plain(images):
    """Return what the thesis writes."""
    mean, deviation = images.mean((2, 3), keepdim=True), images.std((2, 3), keepdim=True)
    return (images - mean) / (deviation + 1e-5)


def drawn(*shape, spread=1.0):
    generator = torch.Generator().manual_seed(0)
    return ((torch.randn(shape, generator=generator) + 3) * spread).requires_grad_()


@pytest.mark.parametrize("spread", [1e-4, 1.0, 100.0])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_it_is_the_printed_formula_with_its_gradient(spread, layout):
    images = drawn(2, 3, 4, 5, spread=spread)
    upstream = torch.randn(2, 3, 4, 5, generator=torch.Generator().manual_seed(1))
    ours = InstanceNorm()(images.to(memory_format=layout))
    expected = plain(images)
    torch.testing.assert_close(ours, expected, atol=1e-4, rtol=1e-4)
    found = torch.autograd.grad(ours, images, upstream)[0] * spread
    wanted = torch.autograd.grad(expected, images, upstream)[0] * spread
    torch.testing.assert_close(found, wanted, atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize("shape", [(1, 2, 3, 4), (1, 2, 1, 1)])
def test_what_does_not_vary_becomes_zero_with_a_finite_gradient(shape):
    images = torch.full(shape, 0.5).requires_grad_()
    found = InstanceNorm()(images)
    (gradient,) = torch.autograd.grad((found * drawn(*shape)).sum(), images)
    assert not found.any()
    assert gradient.isfinite().all()


@settings(max_examples=15)
@given(st.lists(st.integers(1, 6), min_size=1, max_size=3), st.integers(0, 2))
def test_columns_behind_the_lengths_have_no_say(lengths, extra):
    images = drawn(len(lengths), 2, 3, max(lengths) + extra)
    together = InstanceNorm()(images, torch.tensor(lengths))
    upstream = torch.randn(images.shape, generator=torch.Generator().manual_seed(1))
    (gradient,) = torch.autograd.grad(together, images, upstream)
    for n, length in enumerate(lengths):
        alone = InstanceNorm()(images[n : n + 1, ..., :length])
        torch.testing.assert_close(together[n : n + 1, ..., :length], alone)
        assert not together[n, ..., length:].any()
        assert not gradient[n, ..., length:].any()
        (own,) = torch.autograd.grad(alone, images, upstream[n : n + 1, ..., :length])
        torch.testing.assert_close(gradient[n], own[n], atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("kind", [torch.bfloat16, torch.float16])
def test_of_half_precision_it_is_as_exact_as_its_input(kind):
    images = drawn(2, 3, 40, 50, spread=100.0).detach().to(kind)
    with torch.autocast("cpu", kind):
        found = InstanceNorm()(images)
    assert found.dtype == kind
    torch.testing.assert_close(found, plain(images.float()).to(kind))
