"""Normalization of pixels."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torchvision.transforms import functional

from bench.data.inputs.pixel_values import denormalize, normalize_bytes, normalize_unit

bytes_of_an_image = st.binary(min_size=24, max_size=24).map(
    lambda content: torch.from_numpy(np.frombuffer(content, np.uint8).copy()).view(3, 2, 4)
)


def test_the_ends_of_each_range_are_exact() -> None:
    ends = torch.tensor([0, 255], dtype=torch.uint8).view(1, 1, 2)
    assert normalize_bytes(ends, "signed").tolist() == [[[-1.0, 1.0]]]
    assert normalize_bytes(ends, "unit").tolist() == [[[0.0, 1.0]]]


@given(bytes_of_an_image)
def test_the_imagenet_normalization_equals_that_of_torchvision(pixels: torch.Tensor) -> None:
    mean, std = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
    expected = functional.normalize(pixels.float() / 255, mean, std)
    torch.testing.assert_close(normalize_bytes(pixels, "imagenet"), expected)


@pytest.mark.parametrize("normalization", ["signed", "unit", "imagenet"])
@given(pixels=bytes_of_an_image)
def test_normalized_values_can_be_inverted(normalization: str, pixels: torch.Tensor) -> None:
    values = normalize_bytes(pixels, normalization)
    before = values.clone()
    found = denormalize(values, normalization).mul(255).round().to(torch.uint8)
    assert torch.equal(found, pixels)
    assert torch.equal(values, before)
    again = normalize_unit(pixels.float() / 255, normalization)
    torch.testing.assert_close(again, values)
