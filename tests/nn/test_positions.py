from __future__ import annotations

import math

import torch

from bench.nn.positions import ColumnPositions, GridPositions

NONE = torch.empty(0)


def angle(position, channel, channels):
    """Return the angle of both channels of a pair."""
    return position / 10_000 ** (2 * (channel // 2) / channels)


def test_even_channels_are_cosines_of_the_column_and_odd_ones_sines():
    found = ColumnPositions()(torch.ones(2, 3, 700, 6), NONE)
    for column in (0, 1, 13, 699):
        for channel in range(6):
            wave = math.sin if channel % 2 else math.cos
            expected = 1 + wave(angle(column, channel, 6))
            values = found[:, :, column, channel]
            torch.testing.assert_close(values, torch.full((2, 3), expected), atol=1e-4, rtol=1e-4)


def test_half_of_the_channels_tell_the_column_and_half_the_row():
    found = GridPositions()(torch.zeros(1, 8, 50, 8), NONE)[0]
    for row, column in ((0, 0), (7, 1), (3, 49)):
        for channel in range(8):
            wave = math.cos if channel % 2 else math.sin
            expected = wave(angle((column, row)[channel // 4], channel % 4, 4))
            assert math.isclose(found[row, column, channel], expected, abs_tol=1e-5)


def test_channels_may_be_odd():
    assert ColumnPositions()(torch.zeros(1, 1, 4, 5), NONE).shape == (1, 1, 4, 5)
    assert GridPositions()(torch.zeros(1, 2, 4, 7), NONE).shape == (1, 2, 4, 7)
