"""Where a feature stands, added to what it is: sines and cosines of geometric wavelengths.

After Vaswani et al., "Attention Is All You Need" (NeurIPS 2017), with the orders of sine and cosine
of github.com/resolator/diploma-master. Nothing is learnt, and no width is too large.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

_LONGEST = 10_000.0


class ColumnPositions(nn.Module):
    """Adds where its column is to each feature of (N, H, W, C): even channels a cosine."""

    def forward(self, grid: Tensor, lengths: Tensor) -> Tensor:  # noqa: ARG002 (an encoder's)
        """Return (N, H, W, C)."""
        sines, cosines = waves(grid.shape[2], grid.shape[3], grid.device)
        return grid + interleaved(cosines, sines, grid.shape[3])


class GridPositions(nn.Module):
    """Adds the column to the first half of the channels of (N, H, W, C), the row to the others.

    Even channels of either half get a sine.
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
    """Return sines and cosines (positions, ⌈channels / 2⌉), a wavelength for each two channels."""
    rates = torch.arange(0, channels, 2, device=device) * (-math.log(_LONGEST) / channels)
    angles = torch.arange(positions, device=device).unsqueeze(1) * rates.exp()
    return angles.sin(), angles.cos()


def interleaved(even: Tensor, odd: Tensor, channels: int) -> Tensor:
    """Return (positions, channels) of what even and odd channels are."""
    return torch.stack([even, odd], 2).flatten(1)[:, :channels]
