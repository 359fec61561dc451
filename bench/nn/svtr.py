"""SVTR: a transformer over patches, whose rows are merged until one row of frames is left.

Source: Du et al., "SVTR: Scene Text Recognition with a Single Visual Model" (IJCAI 2022).
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import torch
from torch import Tensor, nn

from bench.core.types import FeatureDims, Features
from bench.nn.fixed_width import pad_to_width
from bench.nn.transformer import Block, initialize

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.core.types import InputShape

Size = TypeVar("Size", int, Tensor)

WINDOW = (7, 11)
"""The rows and columns of patches that a local block attends to."""


class Architecture(NamedTuple):
    """The sizes of an SVTR.

    Attributes:
        features: The features of each stage.
        blocks: The blocks of each stage.
        heads: The attention heads of each stage.
        local: The number of first blocks, over all stages, whose attention is limited to a window.
        output: The dimension of the resulting features.
    """

    features: tuple[int, ...]
    blocks: tuple[int, ...]
    heads: tuple[int, ...]
    local: int
    output: int


class SVTR(nn.Module):
    """A `FrameNetwork` over images of `shape`, with one frame per four columns.

    Two convolutions embed patches of 4×4 pixels, and learned positions are added. Between stages a
    convolution halves the rows; the remaining rows are averaged.
    """

    def __init__(
        self, shape: InputShape, architecture: Architecture, dropout: float, drop_path: float
    ) -> None:
        super().__init__()
        first, last = architecture.features[0], architecture.features[-1]
        rows, columns = _quarter(shape.height), _quarter(shape.width)
        self.embedding = nn.Sequential(
            *_halved(shape.channels, first // 2), *_halved(first // 2, first)
        )
        self.positions = nn.Parameter(torch.empty(1, rows * columns, first))
        self.stages = nn.ModuleList(_stages(architecture, rows, columns, drop_path))
        self.merges = nn.ModuleList(Merge(*pair) for pair in pairwise(architecture.features))
        self.norm = nn.LayerNorm(last, eps=1e-6)
        self.combine = nn.Linear(last, architecture.output, bias=False)
        self.activation = nn.Sequential(nn.Hardswish(), nn.Dropout(dropout))
        self.width = shape.width
        self.feature_dims = FeatureDims(architecture.output)
        self._initialize()

    def forward(self, inputs: Tensor, lengths: Tensor) -> tuple[Features, Tensor]:
        """Return one feature per four columns, and the number of valid ones (N,)."""
        images = self.embedding(pad_to_width(inputs, lengths, self.width))
        columns = images.shape[3]
        tokens = self.stages[0](images.flatten(2).transpose(1, 2) + self.positions)
        for merge, stage in zip(self.merges, self.stages[1:], strict=True):
            tokens = stage(merge(tokens, columns))
        frames = self.norm(tokens).unflatten(1, (-1, columns)).mean(1)
        return Features(self.activation(self.combine(frames))), self.output_lengths(lengths)

    def output_lengths(self, lengths: Tensor) -> Tensor:
        """Return a quarter of `lengths`, rounded up."""
        return _quarter(lengths)

    def _initialize(self) -> None:
        initialize(self)
        nn.init.trunc_normal_(self.positions, std=0.02)
        for layer in self.embedding:
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_uniform_(layer.weight, nonlinearity="relu")
        nn.init.kaiming_normal_(self.combine.weight, nonlinearity="relu")


class Stage(nn.Module):
    """Blocks over patches (N, rows · columns, D); the first `local` attend to a window only."""

    def __init__(self, blocks: list[Block], local: int, rows: int, columns: int) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(blocks)
        self.local = local
        self.register_buffer("window", window(rows, columns) if local else None, persistent=False)

    def forward(self, tokens: Tensor) -> Tensor:
        """Map (N, rows · columns, D) to the same."""
        for number, block in enumerate(self.blocks):
            tokens = block(tokens, self.window if number < self.local else None)
        return tokens


class Merge(nn.Module):
    """A convolution that halves the rows of patches, rounding up, and normalizes."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(before, after, 3, (2, 1), padding=1)
        self.norm = nn.LayerNorm(after)
        nn.init.kaiming_normal_(self.convolution.weight, nonlinearity="relu")

    def forward(self, tokens: Tensor, columns: int) -> Tensor:
        """Map patches (N, rows · columns, before) to (N, ⌈rows / 2⌉ · columns, after)."""
        # Not len(tokens), which an exported graph would keep as a constant.
        images = tokens.transpose(1, 2).reshape(tokens.shape[0], tokens.shape[2], -1, columns)
        merged: Tensor = self.norm(self.convolution(images).flatten(2).transpose(1, 2))
        return merged


def window(rows: int, columns: int) -> Tensor:
    """Return the mask (L, L) of the patches that each of L = rows · columns patches attends to."""
    row = torch.arange(rows).repeat_interleave(columns)
    column = torch.arange(columns).repeat(rows)
    near = [
        (index.unsqueeze(1) - index).abs() <= size // 2
        for index, size in zip((row, column), WINDOW, strict=True)
    ]
    return near[0] & near[1]


def _stages(
    architecture: Architecture, rows: int, columns: int, drop_path: float
) -> Iterator[Stage]:
    """Yield the stages; the probability to drop a block grows linearly to `drop_path`."""
    total, before = sum(architecture.blocks), 0
    for features, count, heads in zip(*architecture[:3], strict=True):
        drops = [drop_path * number / (total - 1) for number in range(before, before + count)]
        local = min(max(architecture.local - before, 0), count)
        yield Stage([Block(features, heads, drop) for drop in drops], local, rows, columns)
        before, rows = before + count, -(-rows // 2)


def _quarter(size: Size) -> Size:
    return -(-size // 4)


def _halved(before: int, after: int) -> list[nn.Module]:
    return [nn.Conv2d(before, after, 3, 2, padding=1), nn.BatchNorm2d(after), nn.GELU()]
