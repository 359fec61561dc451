"""Noise by its distribution, and distortions by the positions that they read."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from bench.data.augmentation.operations import distortion, noise

from ..images import SHAPES, image


@pytest.mark.parametrize("rate", [1, 3, 21, 41])
def test_signed_poisson_noise_has_its_distribution(rate):
    drawn = noise.draw_noise(
        noise.poisson_quantiles(rate), (200, 500), np.random.default_rng(rate)
    ).ravel()
    counts = np.bincount(np.abs(drawn))
    wanted = stats.poisson.pmf(np.arange(len(counts)), rate)
    assert np.abs(counts / drawn.size - wanted).max() < 0.006
    assert abs(np.mean(np.sign(drawn))) < 0.02


@pytest.mark.parametrize("variance", [1, 5, 20])
def test_gaussian_noise_has_its_distribution(variance):
    drawn = noise.draw_noise(
        noise.gaussian_quantiles(variance), (200, 500), np.random.default_rng(variance)
    )
    # Rounding adds a twelfth.
    assert drawn.var() == pytest.approx(variance + 1 / 12, rel=0.02)
    assert drawn.mean() == pytest.approx(0, abs=0.05)
    assert stats.kurtosis(drawn.ravel()) == pytest.approx(0, abs=0.1)


def test_noise_is_added_and_clipped():
    pixels = np.array([[0, 100, 250]], np.uint8)
    added = np.array([[-9, 7, 30]], np.int16)
    assert noise.add_noise(pixels, added).tolist() == [[0, 107, 255]]
    colored = np.stack([pixels] * 3, -1)
    assert noise.add_noise(colored, added).tolist() == [[[0] * 3, [107] * 3, [255] * 3]]
    own = np.stack([added, -added, 0 * added], -1)
    assert noise.add_noise(colored, own)[0, 1].tolist() == [107, 93, 100]


@pytest.mark.parametrize("shape", SHAPES)
def test_an_even_grid_and_a_zero_field_change_nothing(shape):
    pixels = image(shape)
    assert (distortion.grid_distorted(pixels, [2, 2, 2], [0.5, 0.5]) == pixels).all()
    zeros = np.zeros((3, 4), np.float32)
    assert (distortion.elastically_distorted(pixels, zeros, zeros) == pixels).all()


@given(st.lists(st.floats(0.5, 2), min_size=2, max_size=5))
def test_a_grid_moves_its_lines_and_keeps_the_edges(sizes):
    ramp = np.tile(np.linspace(0, 250, 200), (6, 1)).astype(np.uint8)
    bent = distortion.grid_distorted(ramp, sizes, [1, 1])
    assert np.abs(bent[:, [0, -1]].astype(int) - ramp[:, [0, -1]]).max() <= 3
    ends = np.cumsum(sizes) / np.sum(sizes) * 200
    for number, end in enumerate(ends[:-1], 1):
        # The even grid lines are now at the ends of the cells.
        assert bent[0, round(end) - 1] == pytest.approx(250 * number / len(sizes), abs=6)
    assert (np.diff(bent[0].astype(int)) >= 0).all()


def test_an_elastic_field_reads_pixels_at_its_offsets():
    pixels = np.zeros((20, 30), np.uint8)
    pixels[8, 11] = 255
    right, below = np.full((2, 3), 4, np.float32), np.full((2, 3), -2, np.float32)
    moved = distortion.elastically_distorted(pixels, right, below)
    assert [*zip(*np.nonzero(moved), strict=True)] == [(10, 7)]


def test_columns_of_a_grid_are_columns():
    bars = np.zeros((10, 40), np.uint8)
    bars[:, 20:] = 200
    bent = distortion.grid_distorted(bars, [3, 1], [1, 1])
    assert (bent[:, :29] == 0).all()
    assert (bent[:, 31:] == 200).all()
    assert (distortion.grid_distorted(bars, [1, 1], [3, 1]) == bars).all()
