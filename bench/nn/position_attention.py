"""Parallel attention: all labels of an image at once, each by a query for its position in the word.

Source: The vision model of Fang et al., "Read Like Humans: Autonomous, Bidirectional and Iterative
Language Modeling for Scene Text Recognition" (ABINet, CVPR 2021).
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

from bench.core.types import FeatureDims, Features
from bench.nn.fixed_width import pad_to_width
from bench.nn.positions import interleaved, waves

if TYPE_CHECKING:
    from bench.core.types import Feedback


class PositionReader(nn.Module):
    """An image network followed by a `PositionAttention`: an `Attentive` network.

    Args:
        image: Maps images (N, channels, H, W) to (N, D, ⌈H / 4⌉, ⌈W / 4⌉).
        attention: Reads these features.
        width: The common width of all images.
    """

    cell = (4, 4)

    def __init__(self, image: nn.Module, attention: PositionAttention, width: int) -> None:
        super().__init__()
        self.image = image
        self.attention = attention
        self.width = width
        self.feature_dims = attention.feature_dims
        self.steps = attention.steps

    def forward(self, inputs: Tensor, lengths: Tensor, feedback: Feedback) -> Features:
        """Return the features (N, S, D) of all steps."""
        return self.attend(inputs, lengths, feedback)[0]

    def attend(
        self,
        inputs: Tensor,
        lengths: Tensor,
        feedback: Feedback,  # noqa: ARG002 (all at once)
    ) -> tuple[Features, Tensor]:
        """Return the features and the attention maps (N, S, H', W')."""
        symbols, maps = self.attention(self.image(pad_to_width(inputs, lengths, self.width)))
        return Features(symbols), maps


class PositionEncoder(nn.Module):
    """A transformer encoder over all positions of an image: (N, D, H, W) to the same shape.

    Post-norm, with sinusoidal encodings of positions, counted row by row (Vaswani et al., NeurIPS
    2017).
    """

    positions: Tensor

    def __init__(self, features: int, positions: int, layers: int, dropout: float) -> None:
        super().__init__()
        self.register_buffer("positions", sinusoids(positions, features), persistent=False)
        self.dropout = nn.Dropout(dropout)
        layer = nn.TransformerEncoderLayer(
            features, _HEADS, 4 * features, dropout, batch_first=True
        )
        self.layers = nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)

    def forward(self, images: Tensor) -> Tensor:
        """Return the encoded features of every position."""
        rows = images.flatten(2).transpose(1, 2) + self.positions
        encoded: Tensor = self.layers(self.dropout(rows))
        return encoded.transpose(1, 2).reshape(images.shape)


class PositionAttention(nn.Module):
    """Attention of `steps` queries, encodings of their number, to the positions of an image.

    Scores are q·k/√D, and values are the features. Keys come from a small U-Net over the features.

    Args:
        features: The feature dimension D.
        width: The channels of the U-Net.
        steps: The number of queries.
    """

    def __init__(self, features: int, width: int, steps: int) -> None:
        super().__init__()
        strides = [(1, 2), (2, 2), (2, 2), (2, 2)]
        channels = [features, *[width] * len(strides)]
        self.down = nn.ModuleList(
            _convolved(before, after, stride)
            for (before, after), stride in zip(pairwise(channels), strides, strict=True)
        )
        self.up = nn.ModuleList(
            _convolved(before, after) for before, after in pairwise(reversed(channels))
        )
        self.register_buffer("numbers", sinusoids(steps, features), persistent=False)
        self.query = nn.Linear(features, features)
        self.feature_dims = FeatureDims(features)
        self.steps = steps

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return step features (N, S, D) and maps (N, S, H, W) of features (N, D, H, W)."""
        keys = self.keys(images).flatten(2)
        queries = self.query(self.numbers) / math.sqrt(images.shape[1])
        maps = (queries @ keys).float().softmax(2).to(images.dtype)
        return maps @ images.flatten(2).transpose(1, 2), maps.unflatten(2, images.shape[2:])

    def keys(self, images: Tensor) -> Tensor:
        """Return the keys (N, D, H, W) by the U-Net with its skip connections."""
        passed = [images]
        for layer in self.down:
            passed.append(layer(passed[-1]))
        keys = passed.pop()
        for layer in self.up:
            beside = passed.pop()
            keys = layer(functional.interpolate(keys, beside.shape[2:]))
            if passed:
                keys = keys + beside
        return keys


_HEADS = 8


def sinusoids(count: int, features: int) -> Tensor:
    """Return the encodings (count, features) of 0, 1, …: sines at even features, cosines at odd.

    Vaswani et al. (NeurIPS 2017), section 3.5.
    """
    return interleaved(*waves(count, features, torch.get_default_device()), features)


def _convolved(before: int, after: int, stride: tuple[int, int] = (1, 1)) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(before, after, 3, stride, padding=1), nn.BatchNorm2d(after), nn.ReLU(inplace=True)
    )
