from __future__ import annotations

import math

import pytest
import torch

from bench.nn.position_attention import PositionAttention, PositionEncoder, sinusoids


def test_places_are_sines_and_cosines_in_turn():
    found = sinusoids(5, 6)
    for place in range(5):
        for pair in range(3):
            angle = place / 10_000 ** (2 * pair / 6)
            expected = torch.tensor([math.sin(angle), math.cos(angle)])
            torch.testing.assert_close(found[place, 2 * pair : 2 * pair + 2], expected)


@pytest.mark.parametrize("size", [(8, 32), (8, 25), (1, 1), (3, 7)])
def test_every_query_looks_somewhere_in_an_image_of_any_size(size):
    torch.manual_seed(0)
    attention = PositionAttention(16, 4, steps=5).eval()
    images = torch.randn(2, 16, *size)
    symbols, maps = attention(images)
    assert maps.shape == (2, 5, *size)
    torch.testing.assert_close(maps.sum((2, 3)), torch.ones(2, 5))
    torch.testing.assert_close(symbols, torch.einsum("nshw,ndhw->nsd", maps, images))
    assert attention.keys(images).shape == images.shape


def test_the_keys_see_what_is_beside_them_on_the_way_up():
    """Where the narrowest layer says nothing, the keys still depend on the image."""
    torch.manual_seed(0)
    attention = PositionAttention(16, 4, steps=5).eval()
    torch.nn.init.zeros_(attention.down[3][0].weight)
    one, other = torch.randn(2, 1, 16, 8, 32).unbind()
    assert not torch.allclose(attention.keys(one), attention.keys(other))


def test_places_tell_equal_features_apart():
    torch.manual_seed(0)
    encoder = PositionEncoder(16, 2 * 3, layers=1, dropout=0.0).eval()
    same = torch.randn(1, 16, 1, 1).expand(1, 16, 2, 3)
    found = encoder(same)
    assert found.shape == (1, 16, 2, 3)
    assert found.flatten(2).std(2).min() > 1e-3
