"""Convolutions over images (N, channels, H, W) that end at different columns."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import TypeVar, cast

from torch import Tensor, nn
from torch.nn import functional

from bench.core.types import FeatureDims, Features
from bench.nn.ctc_functions import valid_frames
from bench.nn.normalization import InstanceNorm

Columns = TypeVar("Columns", int, Tensor)


class Stage(nn.Module):
    """Convolution, normalization, max pooling, ReLU and dropout.

    ReLU and max pooling commute; in this order ReLU has fewer values to compute.
    """

    def __init__(
        self,
        convolution: nn.Module,
        norm: nn.BatchNorm2d | InstanceNorm | None = None,
        pool: nn.MaxPool2d | None = None,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.convolution = convolution
        self.norm = norm
        self.pool = pool
        self.dropout = nn.Dropout(dropout)

    def forward(self, images: Tensor, lengths: Tensor | None) -> Tensor:
        """Return maps (N, C, H', W'), zero after `lengths` (N,) where these are given."""
        maps: Tensor = self.convolution(images)
        if lengths is not None:
            lengths = columns(self.convolution, lengths)
        if isinstance(self.norm, InstanceNorm):
            maps = self.norm(maps, lengths)
        elif self.norm is not None:
            maps = self.norm(maps)
        maps = cut(maps, lengths)
        if self.pool is not None:
            maps = self.pool(maps)
            maps = cut(maps, None if lengths is None else columns(self.pool, lengths))
        # Pooling does not need its output for its gradient; a normalization may.
        maps = functional.relu(maps, inplace=self.pool is not None)
        return cast("Tensor", self.dropout(maps))


class RowMean(nn.Module):
    """The mean over the rows of maps, as the last stage of convolutions that leave several rows."""

    def forward(self, images: Tensor, lengths: Tensor | None) -> Tensor:  # noqa: ARG002 (a stage's)
        """Return maps (N, C, 1, W)."""
        return images.mean(2, keepdim=True)


class Convolutions(nn.Module):
    """A sequence of stages: images (N, channels, H, W) to maps (N, C, H', W').

    Args:
        stages: Modules called with images and their lengths, or with None for all columns.
        masked: Whether columns after an image's end are set to zero before each stage, like the
            padding of a convolution, so that the result does not depend on the padding of a batch.
            Otherwise they are pixels like any other.
    """

    def __init__(self, stages: Iterable[nn.Module], *, masked: bool) -> None:
        super().__init__()
        self.stages = nn.ModuleList(stages)
        self.masked = masked
        self.stride = stride(self)
        self._narrowest = self.stride
        while columns(self, self._narrowest) < 1:
            self._narrowest += 1

    def forward(self, images: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Return maps and the lengths (N,) of their columns."""
        missing = self._narrowest - images.shape[3]
        if missing > 0:
            images = functional.pad(images, (0, missing, 0, 0), mode="replicate")
        inside = lengths if self.masked and bool((lengths < images.shape[3]).any()) else None
        maps = cut(images, inside)
        for stage in self.stages:
            maps = stage(maps, inside)
            if inside is not None:
                inside = columns(stage, inside)
        return maps, self.output_lengths(lengths)

    def output_lengths(self, lengths: Tensor) -> Tensor:
        """Return the output columns (N,) of images of these lengths: at least one."""
        return columns(self, lengths).clamp(min=1)


class ColumnReader(nn.Module):
    """Convolutions to maps of one row, whose columns are the frames of an encoder (`FrameNetwork`).

    The encoder maps (N, T, C) and lengths (N,) to (N, T, D). The columns are the visual features.
    """

    def __init__(
        self,
        convolutions: Convolutions,
        encoder: nn.Module,
        feature_dims: FeatureDims,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.convolutions = convolutions
        self.encoder = encoder
        self.dropout = nn.Dropout(dropout)
        self.feature_dims = feature_dims

    def forward(self, inputs: Tensor, lengths: Tensor) -> tuple[Features, Tensor]:
        """Return features and visual features of every column, and the lengths (N,) of both."""
        maps, lengths = self.convolutions(inputs, lengths)
        visual = maps.squeeze(2).transpose(1, 2)
        return Features(self.dropout(self.encoder(visual, lengths)), visual), lengths

    def output_lengths(self, lengths: Tensor) -> Tensor:
        """Return the frames (N,) of images of `lengths` (N,)."""
        return self.convolutions.output_lengths(lengths)


def cut(images: Tensor, lengths: Tensor | None) -> Tensor:
    """Return `images` (N, C, H, W) with zeros after `lengths` (N,), where these are given."""
    if lengths is None:
        return images
    behind = ~valid_frames(lengths, images.shape[3], images.device)
    return images.masked_fill(behind[:, None, None], 0)


def columns(network: nn.Module, images: Columns) -> Columns:
    """Return the number of columns after the layers of `network`, for images of so many columns."""
    for kernel, step, padding in _layers(network):
        images = (images + 2 * padding - kernel) // step + 1
    return images


def stride(network: nn.Module) -> int:
    """Return the horizontal stride of `network`: image columns per column of its maps."""
    return math.prod(step for _, step, _ in _layers(network))


def _layers(network: nn.Module) -> Iterator[tuple[int, int, int]]:
    """Yield kernel, stride and padding, along the width, of convolutions and poolings."""
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.MaxPool2d):
            yield _across(layer.kernel_size), _across(layer.stride), _across(layer.padding)


def _across(size: object) -> int:
    return cast("int", size[1] if isinstance(size, tuple) else size)
