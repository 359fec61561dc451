"""Blur, resolution, dilation and erosion, compared with scipy and with formulas."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from bench.data.augmentation.operations import filters

from ..images import SHAPES, image

GRAYS = pytest.mark.parametrize("pixels", [image((32, 100), 1), image((7, 41), 2)])


def apart(one, other):
    return float(np.abs(one.astype(float) - other).max())


@GRAYS
@pytest.mark.parametrize("deviation", [1, 2, 4])
def test_a_gaussian_blur_equals_that_of_scipy(pixels, deviation):
    wanted = ndimage.gaussian_filter(pixels.astype(float), deviation, mode="nearest")
    assert apart(filters.gaussian_blurred(pixels, deviation), wanted) <= 2.5


@GRAYS
@pytest.mark.parametrize("side", [3, 5, 7])
def test_means_and_medians_equal_those_of_scipy(pixels, side):
    mean = ndimage.uniform_filter(pixels.astype(float), side, mode="nearest")
    assert apart(filters.box_blurred(pixels, side), mean) <= 0.5 + 1e-6
    median = ndimage.median_filter(pixels, side, mode="nearest")
    # On small images with wide kernels OpenCV's border is a copy of the edge too.
    if side < 7:
        assert apart(filters.median_blurred(pixels, side), median) == 0


@GRAYS
@pytest.mark.parametrize("side", [2, 3, 5])
def test_dilation_and_erosion_equal_those_of_scipy(pixels, side):
    # OpenCV has the middle of an even square after its center; scipy too for maxima.
    if side % 2:
        assert (
            apart(
                filters.dilated(pixels, side), ndimage.grey_dilation(pixels, side, mode="nearest")
            )
            == 0
        )
        assert (
            apart(filters.eroded(pixels, side), ndimage.grey_erosion(pixels, side, mode="nearest"))
            == 0
        )
    inverted = 255 - filters.dilated(255 - pixels, side)
    assert apart(filters.eroded(pixels, side), inverted) == 0


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("side", [1, 2, 3, 4])
def test_erosion_is_below_and_dilation_above_the_image(shape, side):
    pixels = image(shape, 3)
    low, high = filters.eroded(pixels, side), filters.dilated(pixels, side)
    assert (low <= pixels).all()
    assert (pixels <= high).all()
    if side == 1:
        assert apart(low, high) == 0


@pytest.mark.parametrize(("degrees", "axis"), [(0, 1), (90, 0), (-90, 0)])
def test_motion_blur_is_along_its_line(degrees, axis):
    spot = np.zeros((15, 15), np.uint8)
    spot[7, 7] = 250
    blurred = filters.motion_blurred(spot, 5, degrees)
    assert np.nonzero(blurred.any(1 - axis))[0].tolist() == [5, 6, 7, 8, 9]
    assert np.nonzero(blurred.any(axis))[0].tolist() == [7]
    assert blurred.max() == 50


@given(st.integers(0, 7), st.floats(-90, 90), st.integers(0, 255))
def test_no_blur_changes_an_image_of_one_color(length, degrees, value):
    pixels = np.full((9, 12, 3), value, np.uint8)
    assert apart(filters.motion_blurred(pixels, length, degrees), pixels) == 0
    assert apart(filters.box_blurred(pixels, length + 1), pixels) == 0
    assert apart(filters.gaussian_blurred(pixels, length), pixels) == 0
    assert apart(filters.coarsened(pixels, 4, 2), pixels) == 0


@pytest.mark.parametrize("shape", SHAPES)
def test_zero_strength_changes_nothing(shape):
    pixels = image(shape)
    assert filters.gaussian_blurred(pixels, 0) is pixels
    assert filters.motion_blurred(pixels, 1, 20) is pixels
    assert filters.coarsened(pixels, *shape[1::-1]) is pixels


def test_coarsened_images_lose_resolution():
    checks = (np.indices((32, 64)).sum(0) % 2 * 200).astype(np.uint8)
    assert apart(filters.coarsened(checks, 32, 16), np.full((32, 64), 100)) == 0
    assert filters.coarsened(checks, 512, 128) is checks
    # Only one side may be larger.
    assert filters.coarsened(checks, 16, 128).shape == checks.shape
