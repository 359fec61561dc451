"""Sinusoidal positional encodings, for images of any width and without parameters.

Source: Vaswani et al., "Attention Is All You Need" (NeurIPS 2017), section 3.5, with the orders of
sine and cosine of github.com/resolator/diploma-master.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

_LONGEST = 10_000.0


class ColumnPositions(nn.Module):
    """Adds an encoding of the column to features (N, H, W, C): cosines at even channels."""

    def forward(self, grid: Tensor, lengths: Tensor) -> Tensor:  # noqa: ARG002 (an encoder's)
        """Return (N, H, W, C)."""
        sines, cosines = waves(grid.shape[2], grid.shape[3], grid.device)
        return grid + interleaved(cosines, sines, grid.shape[3])


class GridPositions(nn.Module):
    """Adds encodings of the column to the first half of the channels, of the row to the second.

    Features are (N, H, W, C). Even channels of both halves get sines.
    """

    def forward(self, grid: Tensor, lengths: Tensor) -> Tensor:  # noqa: ARG002 (an encoder's)
        """Return (N, H, W, C)."""
        _, height, width, channels = grid.shape
        across = channels // 2
        down = channels - across
        column = interleaved(*waves(width, across, grid.device), across).expand(height, -1, -1)
        row = interleaved(*waves(height, down, grid.device), down).unsqueeze(1)
        return grid + torch.cat([column, row.expand(-1, width, -1)], 2)


def waves(positions: int, channels: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Return sines and cosines (positions, ⌈channels / 2⌉), one wavelength per two channels."""
    rates = torch.arange(0, channels, 2, device=device) * (-math.log(_LONGEST) / channels)
    angles = torch.arange(positions, device=device).unsqueeze(1) * rates.exp()
    return angles.sin(), angles.cos()


def interleaved(even: Tensor, odd: Tensor, channels: int) -> Tensor:
    """Return (positions, channels) with the values of even and odd channels."""
    return torch.stack([even, odd], 2).flatten(1)[:, :channels]
