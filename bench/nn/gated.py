"""The convolutions of github.com/resolator/diploma-master, for lines of handwriting."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from bench.core.errors import BenchError
from bench.core.types import InputShape
from bench.nn.convolutions import Convolutions, Stage, columns
from bench.nn.normalization import InstanceNorm

Normalization = Literal["instance", "batch"]

_KERNELS = (5, 5, 3, 3, 3, 1)
_CHANNELS = (1, 2, 4, 4, 8)
"""Multiples of the width; the channels of the last convolution are a parameter."""
_USUAL_HEIGHT = 64
_GATE = 9
_FEWEST = 2


class DepthwiseSeparable(nn.Sequential):
    """A convolution of each channel with `multiplier` kernels, then a 1×1 convolution."""

    def __init__(
        self,
        channels: int,
        features: int,
        kernel: tuple[int, int],
        padding: tuple[int, int],
        multiplier: int,
    ) -> None:
        between = channels * multiplier
        super().__init__(
            nn.Conv2d(channels, between, kernel, padding=padding, groups=channels),
            nn.Conv2d(between, features, 1),
        )


class GateBlock(nn.Module):
    """The product of a tanh and a sigmoid of convolutions over 9 columns, both normalized.

    Without padding: maps (N, C, H, W) become (N, C, H, W - 8).

    Source: Coquenet, Chatelain and Paquet, "Recurrence-free unconstrained handwritten text
    recognition using gated fully convolutional network" (2020).
    """

    def __init__(self, features: int, dropout: float) -> None:
        super().__init__()
        self.convolution = DepthwiseSeparable(features, 2 * features, (1, _GATE), (0, 0), 1)
        self.norm = InstanceNorm()
        self.dropout = nn.Dropout(dropout)

    def forward(self, images: Tensor, lengths: Tensor | None) -> Tensor:
        """Return gated maps, zero after `lengths` (N,) where these are given."""
        values, gate = self.convolution(images).chunk(2, 1)
        if lengths is not None:
            lengths = columns(self.convolution, lengths)
        gated = self.norm(torch.tanh(values), lengths) * self.norm(torch.sigmoid(gate), lengths)
        dropped: Tensor = self.dropout(gated)
        return dropped


def line_convolutions(
    shape: InputShape,
    width: int,
    features: int,
    *,
    feature_height: int = 1,
    multiplier: int = 0,
    gates: int = 0,
    gate_dropout: float = 0.0,
    normalization: Normalization = "instance",
    masked: bool = False,
    dropout: float = 0.0,
) -> Convolutions:
    """Return six convolutions, followed by gate blocks: lines of `shape` to (N, features, h, W').

    Poolings halve the height until `feature_height` is left. The first two also halve the width,
    the first three where lines are higher than 64 pixels.

    Args:
        shape: The shape of the images.
        width: The channels of the first convolution.
        features: The channels of the last convolution.
        feature_height: h, the rows that are left.
        multiplier: Kernels per channel of depthwise separable convolutions; 0: plain convolutions.
        gates: The number of gate blocks.
        gate_dropout: The probability of dropout in each.
        normalization: Which normalization follows each convolution.
        masked: See `Convolutions`.
        dropout: The probability of dropout after the last convolution.

    Raises:
        BenchError: Halving the height does not give `feature_height`, or `gates` leave a single
            column, which instance normalization would make 0.
    """
    halvings = _halvings(shape.height, feature_height)
    square = 3 if shape.height > _USUAL_HEIGHT else 2
    stages: list[nn.Module] = []
    channels = shape.channels
    sizes = (*(width * times for times in _CHANNELS), features)
    for number, (size, kernel) in enumerate(zip(sizes, _KERNELS, strict=True)):
        pool = nn.MaxPool2d((2, 2 if number < square else 1)) if number < halvings else None
        norm = nn.BatchNorm2d(size) if normalization == "batch" else InstanceNorm()
        last = dropout if number + 1 == len(sizes) else 0.0
        stages.append(Stage(_convolution(channels, size, kernel, multiplier), norm, pool, last))
        channels = size
    stages += [GateBlock(features, gate_dropout) for _ in range(gates)]
    network = Convolutions(stages, masked=masked)
    if gates and shape.width and feature_height == 1 and columns(network, shape.width) < _FEWEST:
        raise BenchError(
            f"gates = {gates} leave fewer than two columns of lines {shape.width} pixels wide; "
            "set fewer gates, or a larger width of the input"
        )
    return network


def _convolution(channels: int, features: int, kernel: int, multiplier: int) -> nn.Module:
    if not multiplier:
        return nn.Conv2d(channels, features, kernel, padding=kernel // 2)
    side = kernel // 2
    return DepthwiseSeparable(channels, features, (kernel, kernel), (side, side), multiplier)


def _halvings(height: int, rows: int) -> int:
    """Return how often `height` is halved to give `rows`. Raises BenchError beyond 2 to 6 times."""
    for halvings in range(2, len(_KERNELS) + 1):
        if height == rows << halvings:
            return halvings
    raise BenchError(
        f"a height of {height} pixels does not give {rows} rows by halving it two to six times; "
        f"set the height of the input to {4 * rows}, {8 * rows}, … or {64 * rows}"
    )
