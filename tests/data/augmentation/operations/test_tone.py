"""Brightness, contrast and color, compared with Pillow and torchvision."""

from __future__ import annotations

import colorsys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageEnhance, ImageOps
from torchvision.transforms import functional

from bench.data.augmentation.operations import tone

from ..images import SHAPES, image

CASES = pytest.mark.parametrize("pixels", [image(shape, n) for n, shape in enumerate(SHAPES)])
FACTORS = pytest.mark.parametrize("factor", [0.1, 0.55, 1.0, 1.45, 1.9])


def apart(one, other):
    return int(np.abs(one.astype(int) - np.asarray(other).astype(int)).max())


@CASES
@pytest.mark.parametrize(
    ("ours", "pillows"),
    [
        (tone.inverted, ImageOps.invert),
        (tone.autocontrast, ImageOps.autocontrast),
        (tone.equalized, ImageOps.equalize),
        (lambda pixels: tone.posterized(pixels, 2), lambda shown: ImageOps.posterize(shown, 2)),
        (lambda pixels: tone.solarized(pixels, 128), lambda shown: ImageOps.solarize(shown, 128)),
        (lambda pixels: tone.solarized(pixels, 256), lambda shown: ImageOps.solarize(shown, 256)),
    ],
    ids=["inverted", "autocontrast", "equalized", "posterized", "solarized", "solarized none"],
)
def test_a_look_up_equals_that_of_pillow(pixels, ours, pillows):
    assert apart(ours(pixels), pillows(Image.fromarray(pixels))) == 0


@CASES
@FACTORS
@pytest.mark.parametrize(
    ("ours", "pillows"),
    [
        (tone.scaled_values, ImageEnhance.Brightness),
        (tone.contrasted, ImageEnhance.Contrast),
        (tone.saturated, ImageEnhance.Color),
    ],
)
def test_an_enhancement_equals_that_of_pillow(pixels, factor, ours, pillows):
    wanted = pillows(Image.fromarray(pixels)).enhance(factor)
    # Pillow truncates decimals, and rounds gray values differently.
    assert apart(ours(pixels, factor), wanted) <= 2
    if factor == 1:
        assert apart(ours(pixels, factor), pixels) == 0


@given(st.integers(0, 255), st.integers(1, 40), st.integers(1, 40), st.sampled_from([(), (3,)]))
def test_an_image_of_one_value_has_no_contrast_to_raise(value, height, width, channels):
    pixels = np.full((height, width, *channels), value, np.uint8)
    for change in (tone.autocontrast, tone.equalized, lambda p: tone.contrasted(p, 1.9)):
        assert apart(change(pixels), pixels) == 0


@given(st.integers(0, 2**32), st.integers(120, 160))
def test_equalized_values_are_about_evenly_frequent(seed, side):
    generator = np.random.default_rng(seed)
    pixels = generator.beta(2, 7, (side, side)) * 256
    equal = np.sort(tone.equalized(pixels.astype(np.uint8)).ravel())
    wanted = np.linspace(0, 255, equal.size)
    assert np.abs(equal - wanted).mean() < 8


def test_dark_values_are_raised_and_bright_ones_are_unchanged():
    ramp = np.arange(256, dtype=np.uint8).reshape(16, 16)
    raised = tone.dark_raised(ramp, 55).ravel()
    assert raised[:128].tolist() == [value + 55 for value in range(128)]
    assert raised[128:].tolist() == [*range(128, 256)]
    assert tone.dark_raised(ramp, 200).max() == 255
    assert apart(tone.dark_raised(ramp, 0), ramp) == 0


@pytest.mark.parametrize("bits", range(9))
def test_posterized_values_have_the_given_number_of_bits(bits):
    ramp = np.arange(256, dtype=np.uint8).reshape(16, 16)
    changed = tone.posterized(ramp, bits)
    assert len(np.unique(changed)) == 2**bits
    assert (changed <= ramp).all()


@pytest.mark.parametrize("hue", [-0.1, -0.03, 0.0, 0.1, 0.5])
def test_a_hue_shift_equals_that_of_torchvision(hue):
    pixels = image((32, 60, 3))
    wanted = np.asarray(functional.adjust_hue(Image.fromarray(pixels), hue)).astype(int)
    assert np.abs(tone.shifted_hsv(pixels, hue).astype(int) - wanted).mean() < 3


def test_saturation_and_value_are_added():
    color = np.full((3, 4, 3), (200, 100, 50), np.uint8)
    hue, saturation, value = colorsys.rgb_to_hsv(200 / 255, 100 / 255, 50 / 255)
    changed = tone.shifted_hsv(color, 20 / 180, -20, 20)[0, 0] / 255
    wanted = (hue + 20 / 180, saturation - 20 / 255, value + 20 / 255)
    assert colorsys.rgb_to_hsv(*changed) == pytest.approx(wanted, abs=0.012)


def test_gray_has_a_value_and_neither_hue_nor_saturation():
    pixels = image((20, 30))
    assert apart(tone.shifted_hsv(pixels, 0.3, 40), pixels) == 0
    assert apart(tone.shifted_hsv(pixels, 0.3, 40, 5), pixels + 5) == 0
    assert apart(tone.saturated(pixels, 0.1), pixels) == 0


@pytest.mark.parametrize("gamma", [0.8, 1.0, 1.2])
@CASES
def test_gamma_is_a_power(pixels, gamma):
    wanted = functional.adjust_gamma(Image.fromarray(pixels), gamma)
    assert apart(tone.gamma_corrected(pixels, gamma), wanted) <= 1
    if gamma == 1:
        assert apart(tone.gamma_corrected(pixels, gamma), pixels) == 0


@given(st.floats(0, 2), st.floats(-100, 100))
def test_values_are_scaled_and_clipped(factor, offset):
    ramp = np.arange(256, dtype=np.uint8).reshape(16, 16)
    wanted = np.clip(ramp * factor + offset, 0, 255)
    assert np.abs(tone.scaled_values(ramp, factor, offset) - wanted).max() <= 0.5 + 1e-3
