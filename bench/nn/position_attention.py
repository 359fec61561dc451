"""All labels of an image at once, each by attention from its position in the word.

The vision model of Fang et al., "Read Like Humans: Autonomous, Bidirectional and Iterative Language
Modeling for Scene Text Recognition" (ABINet, CVPR 2021).
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

from bench.core.types import FeatureDims, Features
from bench.nn.fixed_width import filled
from bench.nn.positions import interleaved, waves

if TYPE_CHECKING:
    from bench.core.types import Feedback


class PositionReader(nn.Module):
    """A network over images of one width under a `PositionAttention`: an `Attentive` network.

    `image` maps images (N, channels, H, W) to (N, D, ⌈H / 4⌉, ⌈W / 4⌉).
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
        symbols, maps = self.attention(self.image(filled(inputs, lengths, self.width)))
        return Features(symbols), maps


class PlaceEncoder(nn.Module):
    """A transformer encoder over all places of an image: (N, D, H, W) to the same.

    Post-norm, with sinusoids for places, counted row by row (Vaswani et al., NeurIPS 2017).
    """

    places: Tensor

    def __init__(self, features: int, places: int, layers: int, dropout: float) -> None:
        super().__init__()
        self.register_buffer("places", sinusoids(places, features), persistent=False)
        self.dropout = nn.Dropout(dropout)
        layer = nn.TransformerEncoderLayer(
            features, _HEADS, 4 * features, dropout, batch_first=True
        )
        self.layers = nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)

    def forward(self, images: Tensor) -> Tensor:
        """Return every place in the context of all others."""
        rows = images.flatten(2).transpose(1, 2) + self.places
        encoded: Tensor = self.layers(self.dropout(rows))
        return encoded.transpose(1, 2).reshape(images.shape)


class PositionAttention(nn.Module):
    """Attention of `steps` queries, which know their number alone, to the places of an image.

    Scores are q·k/√D and values the features themselves. Keys come from a small U-Net over the
    features, of `width` channels.
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
        """Return the keys (N, D, H, W): down the U-Net, and up with what was there on the way."""
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
    """Return the encodings (count, features) of 0, 1, …: even features a sine, odd ones a cosine.

    Vaswani et al. (NeurIPS 2017), section 3.5.
    """
    return interleaved(*waves(count, features, torch.get_default_device()), features)


def _convolved(before: int, after: int, stride: tuple[int, int] = (1, 1)) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(before, after, 3, stride, padding=1), nn.BatchNorm2d(after), nn.ReLU(inplace=True)
    )
